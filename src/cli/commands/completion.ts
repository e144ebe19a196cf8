import type { Invocation } from '../command.ts';
import { completionsOf } from '../completion/model.ts';
import { SCRIPTS } from '../completion/scripts.ts';

export async function run({
  args,
  output,
  commands,
}: Invocation<object, { shell: string }>): Promise<number> {
  for (const line of SCRIPTS[args.shell]!(completionsOf(commands))) output.print(line);
  return 0;
}
