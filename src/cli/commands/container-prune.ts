import type { Invocation } from '../command.ts';
import { confirm, printRemoved } from '../prune/confirm.ts';
import { removeEnded } from '../prune/remove-ended.ts';

export async function run({ options, output }: Invocation<{ force: boolean }>): Promise<number> {
  if (await confirm('All containers that do not run will be removed', options))
    printRemoved('Deleted Containers', await removeEnded(), output);
  return 0;
}
