import type { Invocation } from '../command.ts';
import { each } from '../each.ts';
import { startSnapshot } from '../snapshot-start.ts';

export function run({ args, output }: Invocation<object, { snapshot: readonly string[] }>): Promise<number> {
  return each(
    args.snapshot,
    async (name) => {
      await using container = await startSnapshot(name, { options: { detached: true }, output });
      output.print(container.id);
    },
    output,
  );
}
