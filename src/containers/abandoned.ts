import { reap } from '../kernel/ffi/libc.ts';
import { closeAbandoned } from '../kernel/processes/held-descriptor.ts';
import { isRunning } from '../kernel/processes/process-identity.ts';
import type { ContainerRecord } from './container-record.ts';

/**
 * Lets go of a container that has ended and that a thread of this process had started which has ended, too: nobody else is there to
 * close its control socket and to reap its shim. The caller holds the container's lock.
 */
export async function releaseAbandoned({ launcher, shimPid }: ContainerRecord): Promise<void> {
  if (launcher.held === undefined || launcher.pid !== process.pid || !isRunning(launcher)) return;
  if (closeAbandoned(launcher.held)) await reap(shimPid);
}
