import type { Invocation } from '../command.ts';
import { eachContainer } from '../each.ts';

type Options = { time: number | undefined };

export function run({
  options,
  args,
  output,
}: Invocation<Options, { container: readonly string[] }>): Promise<number> {
  const timeout = options.time === undefined ? {} : { timeout: options.time * 1000 };
  return eachContainer(args.container, (container) => container.stop(timeout), output);
}
