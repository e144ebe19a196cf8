import { writeSync } from 'node:fs';
import { closeDescriptor } from '../../kernel/ffi/descriptor.ts';
import { CLONE } from '../../kernel/mounts/flags.ts';
import { openPidfd } from '../../kernel/processes/pidfd.ts';
import { closingAfter, openPipe } from '../../kernel/processes/pipe.ts';
import { FDS, FIRST_FREE_FD } from '../../kernel/program/abi.ts';
import { flags, ProgramBuilder } from '../../kernel/program/builder.ts';
import type { Program } from '../../kernel/program/instruction.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { groundOf } from '../compile/ground.ts';
import type { IdSpec } from '../spec/container-spec.ts';
import { ShimProcess } from './shim-process.ts';

// <linux/prctl.h>, <signal.h>
const PR = { PR_SET_PDEATHSIG: 1 } as const;
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
  const { read, write } = openPipe();
  const pidfd = openPidfd(init);
  const shim = closingAfter(
    [pidfd, read],
    () =>
      new ShimProcess({ binary, compile: () => compile(ids), fds: { pidfd }, passed: [read], label: 'stop' }),
  );
  const resume = async () => {
    closeDescriptor(write);
    shim.ref();
    await shim.exited;
  };
  try {
    const stopper = await shim.started;
    // Before anything is stopped, so that there is no instant at which our end would be the end of who lets it go on.
    shim.detach();
    writeSync(write, 'x');
    return { stopper, resume };
  } catch (error) {
    await resume();
    throw error;
  }
}

function compile(ids: IdSpec): Program {
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const stopper = program.section('stopper', 'payload');
  const userns = groundOf(ids).enterUserns === 'first' ? (['CLONE_NEWUSER'] as const) : [];
  shim.call('setns', [FDS.pidfd, flags(CLONE, 'CLONE_NEWPID', ...userns)], { what: 'enter the namespaces' });
  shim.clone(stopper, flags(CLONE), { what: 'clone the stopper' });
  const wait = (what: string) => stopper.call('read', [FIRST_FREE_FD, Buffer.alloc(8), 1], { what });
  stopper.call('prctl', [flags(PR, 'PR_SET_PDEATHSIG'), 0, 0, 0, 0], { what: 'outlive whoever started it' });
  stopper.call('close_range', [0, FIRST_FREE_FD - 1, 0], { what: 'close everything but the pipe' });
  wait('wait for the word');
  stopper.call('kill', [EVERYBODY, SIGSTOP], { what: 'stop all processes', tolerate: ['ESRCH'] });
  wait('wait for the end');
  stopper.call('kill', [EVERYBODY, SIGCONT], { what: 'let them go on', tolerate: ['ESRCH'] });
  stopper.call('exit_group', [0]);
  return program.build();
}
