import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { launchDirectly, type WorkerLauncher } from './launcher.ts';
import { runFileWorker } from './run-worker.ts';

/**
 * Removes a directory and everything in it, whoever owns it: root does so itself, which is faster; an ordinary user's
 * layers and containers belong to others of his user namespace, so a worker does.
 */
export async function removeTree(path: string, launcher: WorkerLauncher = launchDirectly): Promise<void> {
  if (launcher === launchDirectly) return rm(path, { recursive: true, force: true });
  await runFileWorker({ operation: 'remove', path: `/${basename(path)}` }, { root: dirname(path), launcher });
}
