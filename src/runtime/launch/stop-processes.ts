import { closeDescriptor } from '../../kernel/ffi/descriptor.ts';
import { CLONE } from '../../kernel/mounts/flags.ts';
import { openPidfd } from '../../kernel/processes/pidfd.ts';
import { FDS } from '../../kernel/program/abi.ts';
import { flags } from '../../kernel/program/builder.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { groundOf } from '../compile/ground.ts';
import type { IdSpec } from '../spec/container-spec.ts';
import { startOutliving } from './outliving.ts';

// <signal.h>
const SIGCONT = 18;
const SIGSTOP = 19;
const EVERYBODY = -1;

/** Processes that have been told to stop. They stop when they come out of the kernel. */
export interface StoppedProcesses {
  /** Host pid of the process that has told them, which is in their namespace. */
  readonly stopper: number;
  /** Lets them go on; resolves when they do. */
  resume(): Promise<void>;
}

/**
 * Stops all processes of a PID namespace but its init at one instant, by SIGSTOP, which nobody can catch: kill(2) with -1 holds off
 * every fork while it goes through the processes, so none is missed, as one would be that is looked for in /proc.
 *
 * They go on, whatever becomes of this process: who has stopped them is one of its own that waits for our end of a pipe to close.
 */
export async function stopProcesses({
  binary,
  init,
  ids,
}: {
  binary: ShimBinary;
  /** Host pid of PID 1 of the namespace. */
  init: number;
  ids: IdSpec;
}): Promise<StoppedProcesses> {
  const userns = groundOf(ids).enterUserns === 'first' ? (['CLONE_NEWUSER'] as const) : [];
  const pidfd = openPidfd(init);
  try {
    const { pid, finish } = await startOutliving({
      binary,
      fds: { pidfd },
      label: 'stop',
      enter: (shim) =>
        shim.call('setns', [FDS.pidfd, flags(CLONE, 'CLONE_NEWPID', ...userns)], {
          what: 'enter the namespaces',
        }),
      first: (stopper) =>
        stopper.call('kill', [EVERYBODY, SIGSTOP], { what: 'stop all processes', tolerate: ['ESRCH'] }),
      last: (stopper) =>
        stopper.call('kill', [EVERYBODY, SIGCONT], { what: 'let them go on', tolerate: ['ESRCH'] }),
    });
    return { stopper: pid, resume: finish };
  } finally {
    closeDescriptor(pidfd);
  }
}
