import { closeDescriptor } from '../../kernel/ffi/descriptor.ts';
import { openPidfd } from '../../kernel/processes/pidfd.ts';
import { closingAfter, openPipe } from '../../kernel/processes/pipe.ts';
import { type ChooseFailpoint, withFailpoint } from '../../kernel/program/instruction.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { compileExec, type ExecSpec } from '../compile/exec.ts';
import { commandError } from './command-error.ts';
import { ShimProcess } from './shim-process.ts';

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
export function startExecProcess(
  spec: ExecSpec,
  { binary, pid, userns, label, chooseFailpoint }: ExecLaunch,
): ExecProcess {
  const pidfd = openPidfd(pid);
  const [stdin, stdout, stderr] = [openPipe(), openPipe(), openPipe()];
  const ours = { stdin: stdin.write, stdout: stdout.read, stderr: stderr.read };
  try {
    const shim = closingAfter([pidfd, stdin.read, stdout.write, stderr.write], () => {
      const fds = {
        pidfd,
        stdin: stdin.read,
        stdout: stdout.write,
        stderr: stderr.write,
        ...(userns === undefined ? {} : { userns }),
      };
      return new ShimProcess({
        binary,
        compile: () => withFailpoint(compileExec(spec), chooseFailpoint),
        fds,
        label,
        explainFailure: commandError,
      });
    });
    return { shim, ...ours };
  } catch (error) {
    for (const fd of Object.values(ours)) closeDescriptor(fd);
    throw error;
  }
}
