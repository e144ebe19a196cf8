import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { launchDirectly, type WorkerLauncher } from './launcher.ts';
import { removeFew } from './remove-few.ts';
import { runFileWorker } from './run-worker.ts';
import { selfFirst } from './self-first.ts';

/** Removes a directory and everything in it, whoever owns it. */
export async function removeTree(path: string, launcher: WorkerLauncher = launchDirectly): Promise<void> {
  const request = { operation: 'remove', path: `/${basename(path)}` } as const;
  await selfFirst(launcher, {
    ourselves: async () => {
      if (!removeFew(path)) await rm(path, { recursive: true, force: true });
    },
    byWorker: () => runFileWorker(request, { root: dirname(path), launcher }),
    denied: ['EACCES', 'EPERM', 'ENOTEMPTY'],
  });
}
