import { pruneImages } from '../../containers/images/remove-images.ts';
import type { Invocation } from '../command.ts';
import { decimalSize } from '../listing/words.ts';
import { confirm, printRemoved } from '../prune/confirm.ts';

export async function run({
  options,
  output,
}: Invocation<{ all: boolean; force: boolean }>): Promise<number> {
  const { all } = options;
  const what = all ? 'All images that no container stands on' : 'All images without a name';
  if (!(await confirm(`${what} will be removed`, options))) return 0;
  const { names, bytes } = await pruneImages({ all });
  printRemoved('Deleted Images', names, output);
  output.print(`Total reclaimed space: ${decimalSize(bytes)}`);
  return 0;
}
