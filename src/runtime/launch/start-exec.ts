import { closeDescriptor } from '../../kernel/ffi/descriptor.ts';
import { openPidfd } from '../../kernel/processes/pidfd.ts';
import { closingAfter, openPipe } from '../../kernel/processes/pipe.ts';
import type { FDS } from '../../kernel/program/abi.ts';
import { type ChooseFailpoint, withFailpoint } from '../../kernel/program/instruction.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { openSocketPair } from '../../kernel/sockets/unix.ts';
import { compileExec, type ExecSpec } from '../compile/exec.ts';
import { commandError } from './command-error.ts';
import { ShimProcess } from './shim-process.ts';
import { openHandover } from './terminal-handover.ts';

export interface ExecLaunch {
  readonly binary: ShimBinary;
  /** Host pid of a process of the container; the caller knows that it lives. */
  readonly pid: number;
  /** The user namespace that the payload enters last, if any. */
  readonly userns: number | undefined;
  readonly label: string;
  /** Default: nothing is made to fail. */
  readonly chooseFailpoint?: ChooseFailpoint | undefined;
}

/** A running exec and our ends of its pipes, which the caller owns. */
export interface ExecProcess {
  readonly shim: ShimProcess;
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
}

/** Runs one more process inside a container. */
export function startExecProcess(spec: ExecSpec, launch: ExecLaunch): ExecProcess {
  const pidfd = openPidfd(launch.pid);
  const [stdin, stdout, stderr] = [openPipe(), openPipe(), openPipe()];
  const ours = { stdin: stdin.write, stdout: stdout.read, stderr: stderr.read };
  const theirs = { stdin: stdin.read, stdout: stdout.write, stderr: stderr.write };
  try {
    const shim = closingAfter([pidfd, ...Object.values(theirs)], () =>
      spawnExec(spec, launch, { pidfd, ...theirs }),
    );
    return { shim, ...ours };
  } catch (error) {
    for (const fd of Object.values(ours)) closeDescriptor(fd);
    throw error;
  }
}

/** A running exec on a terminal of its own, and our end of the socket by which it is seen and written to; the caller owns it. */
export interface TerminalExec {
  readonly shim: ShimProcess;
  readonly client: number;
}

/** Runs one more process inside a container, on a terminal; `spec.process.terminal` says how large. */
export function startTerminalExec(spec: ExecSpec, launch: ExecLaunch): TerminalExec {
  const pidfd = openPidfd(launch.pid);
  const [client, attached] = openSocketPair("the client's socket");
  const handover = openHandover();
  try {
    const shim = closingAfter([pidfd, attached, ...Object.values(handover)], () =>
      spawnExec(spec, launch, { pidfd, attached, ...handover }),
    );
    return { shim, client };
  } catch (error) {
    closeDescriptor(client);
    throw error;
  }
}

/** Runs one more process inside a container that reads nothing and whose output nobody sees. */
export function startSilentExec(spec: ExecSpec, launch: ExecLaunch): ShimProcess {
  const pidfd = openPidfd(launch.pid);
  return closingAfter([pidfd], () => spawnExec(spec, launch, { pidfd }));
}

function spawnExec(
  spec: ExecSpec,
  { binary, userns, label, chooseFailpoint }: ExecLaunch,
  fds: Partial<Record<keyof typeof FDS, number>>,
): ShimProcess {
  return new ShimProcess({
    binary,
    compile: () => withFailpoint(compileExec(spec), chooseFailpoint),
    fds: { ...fds, ...(userns === undefined ? {} : { userns }) },
    label,
    explainFailure: commandError,
  });
}
