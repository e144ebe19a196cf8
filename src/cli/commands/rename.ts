import { getContainer } from '../../containers/find.ts';
import { renameContainer } from '../../containers/rename.ts';
import type { Invocation } from '../command.ts';

export async function run({
  args,
}: Invocation<object, { container: string; newName: string }>): Promise<number> {
  await using container = await getContainer(args.container);
  renameContainer(container.parts, args.newName);
  return 0;
}
