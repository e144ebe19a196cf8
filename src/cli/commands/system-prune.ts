import { pruneImages } from '../../containers/images/remove-images.ts';
import type { Invocation } from '../command.ts';
import { decimalSize } from '../listing/words.ts';
import { confirm, printRemoved } from '../prune/confirm.ts';
import { removeEnded } from '../prune/remove-ended.ts';

export async function run({
  options,
  output,
}: Invocation<{ all: boolean; force: boolean }>): Promise<number> {
  const { all } = options;
  const images = all ? 'all images that no container stands on' : 'all images without a name';
  if (!(await confirm(`All containers that do not run and ${images} will be removed`, options))) return 0;
  // Before the images, because a container keeps what it stands on.
  printRemoved('Deleted Containers', await removeEnded(), output);
  const { names, bytes } = await pruneImages({ all });
  printRemoved('Deleted Images', names, output);
  output.print(`Total reclaimed space: ${decimalSize(bytes)}`);
  return 0;
}
