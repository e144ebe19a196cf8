import { removeImage } from '../../containers/images/remove-images.ts';
import type { Invocation } from '../command.ts';
import { each } from '../each.ts';

export function run({
  options,
  args,
  output,
}: Invocation<{ force: boolean }, { image: readonly string[] }>): Promise<number> {
  return each(
    args.image,
    async (name) => {
      const { names } = await removeImage(name, { force: options.force });
      for (const untagged of names) output.print(`Untagged: ${untagged}`);
    },
    output,
  );
}
