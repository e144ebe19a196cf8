import { renameSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { launchDirectly, type WorkerLauncher } from './launcher.ts';
import { runFileWorker } from './run-worker.ts';

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
  try {
    renameSync(from, to);
  } catch (error) {
    if (launcher === launchDirectly || !isErrno(error, 'EACCES', 'EPERM')) throw error;
    const request = { operation: 'move', from: basename(from), to: basename(to) } as const;
    await runFileWorker(request, { root: dirname(from), target: dirname(to), launcher });
  }
}
