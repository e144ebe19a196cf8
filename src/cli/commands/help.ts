import type { Invocation } from '../command.ts';
import { helpOn } from '../help.ts';

export async function run({
  args,
  output,
  commands,
}: Invocation<object, { command: readonly string[] }>): Promise<number> {
  const name = args.command.length === 0 ? undefined : args.command.join(' ');
  for (const line of helpOn(name, commands)) output.print(line);
  return 0;
}
