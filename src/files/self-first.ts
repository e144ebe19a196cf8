import { isErrno } from '../kernel/ffi/system-error.ts';
import { launchDirectly, type WorkerLauncher } from './launcher.ts';

/**
 * Does something with files by ourselves, which is faster: root always can, and an ordinary user as long as all belongs to him. What
 * belongs to others of his user namespace takes a worker.
 */
export async function selfFirst(
  launcher: WorkerLauncher,
  {
    ourselves,
    byWorker,
    denied = ['EACCES', 'EPERM'],
  }: {
    ourselves: () => void | Promise<void>;
    byWorker: () => Promise<unknown>;
    /** How the kernel says that it takes a worker. */
    denied?: readonly string[];
  },
): Promise<void> {
  try {
    return await ourselves();
  } catch (error) {
    if (launcher === launchDirectly || !isErrno(error, ...denied)) throw error;
  }
  await byWorker();
}
