import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { launchDirectly, type WorkerLauncher } from './launcher.ts';
import { runFileWorker } from './run-worker.ts';

/**
 * Removes a directory and everything in it, whoever owns it. We try ourselves first, which is faster: root always can, and an
 * ordinary user as long as all belongs to him. What belongs to others of his user namespace takes a worker.
 */
export async function removeTree(path: string, launcher: WorkerLauncher = launchDirectly): Promise<void> {
  try {
    return await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (launcher === launchDirectly || !isErrno(error, 'EACCES', 'EPERM', 'ENOTEMPTY')) throw error;
  }
  await runFileWorker({ operation: 'remove', path: `/${basename(path)}` }, { root: dirname(path), launcher });
}
