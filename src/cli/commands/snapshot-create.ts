import { getContainer } from '../../containers/find.ts';
import type { Invocation } from '../command.ts';

export async function run({
  args,
  output,
}: Invocation<object, { container: string; name: string }>): Promise<number> {
  await using container = await getContainer(args.container);
  const { id } = await container.snapshot(args.name);
  output.print(id);
  return 0;
}
