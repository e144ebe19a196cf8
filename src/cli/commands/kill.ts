import type { Invocation } from '../command.ts';
import { eachContainer } from '../each.ts';

export function run({
  options,
  args,
  output,
}: Invocation<{ signal: string }, { container: readonly string[] }>): Promise<number> {
  return eachContainer(args.container, (container) => container.kill(options.signal), output);
}
