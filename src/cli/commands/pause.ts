import type { Invocation } from '../command.ts';
import { eachContainer } from '../each.ts';

export function run({ args, output }: Invocation<object, { container: readonly string[] }>): Promise<number> {
  return eachContainer(args.container, (container) => container.pause(), output);
}
