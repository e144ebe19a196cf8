import type { Invocation } from '../command.ts';
import { eachContainer } from '../each.ts';

export function run({
  options,
  args,
  output,
}: Invocation<{ force: boolean }, { container: readonly string[] }>): Promise<number> {
  return eachContainer(args.container, (container) => container.remove({ force: options.force }), output);
}
