import { copyRoot } from './copy-root.ts';
import { launchDirectly, type WorkerLauncher } from './launcher.ts';
import { runFileWorker } from './run-worker.ts';
import { selfFirst } from './self-first.ts';

/**
 * Gives a new directory the mode, the owner and the attributes of the root of the tree that it comes to lie on: the root of an overlay
 * is what its uppermost directory is. Doing it twice is no error.
 */
export async function inheritRoot({
  from,
  to,
  launcher = launchDirectly,
}: {
  /** Absolute path of a directory, as `to`. */
  from: string;
  to: string;
  launcher?: WorkerLauncher | undefined;
}): Promise<void> {
  await selfFirst(launcher, {
    ourselves: () => copyRoot(bytesOf(from), bytesOf(to)),
    byWorker: () => runFileWorker({ operation: 'inherit-root' }, { root: from, target: to, launcher }),
  });
}

const bytesOf = (path: string) => Buffer.from(path).toString('latin1');
