import { diffContainer } from '../../containers/diff.ts';
import { getContainer } from '../../containers/find.ts';
import type { Invocation } from '../command.ts';

const LETTERS = { added: 'A', changed: 'C', deleted: 'D' } as const;

export async function run({ args, output }: Invocation<object, { container: string }>): Promise<number> {
  await using container = await getContainer(args.container);
  for (const { kind, path } of await diffContainer(container.parts)) output.print(`${LETTERS[kind]} ${path}`);
  return 0;
}
