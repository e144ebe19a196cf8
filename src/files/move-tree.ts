import { renameSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { launchDirectly, type WorkerLauncher } from './launcher.ts';
import { runFileWorker } from './run-worker.ts';
import { selfFirst } from './self-first.ts';

/**
 * Renames a directory, whoever owns it, as rename(2) does. What is moved to another place has to be writable by whoever does that,
 * as its `..` changes, which what belongs to others of an ordinary user's namespace is to a worker only.
 */
export async function moveTree({
  from,
  to,
  launcher = launchDirectly,
}: {
  from: string;
  to: string;
  launcher?: WorkerLauncher | undefined;
}): Promise<void> {
  const request = { operation: 'move', from: basename(from), to: basename(to) } as const;
  await selfFirst(launcher, {
    ourselves: () => renameSync(from, to),
    byWorker: () => runFileWorker(request, { root: dirname(from), target: dirname(to), launcher }),
  });
}
