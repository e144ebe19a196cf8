import { getSnapshot } from '../../presets/get-snapshot.ts';
import type { Invocation } from '../command.ts';
import { each } from '../each.ts';

export function run({ args, output }: Invocation<object, { snapshot: readonly string[] }>): Promise<number> {
  return each(
    args.snapshot,
    async (name) => {
      await (await getSnapshot(name)).remove();
      output.print(name);
    },
    output,
  );
}
