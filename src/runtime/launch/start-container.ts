import { constants } from 'node:fs';
import { openDescriptor } from '../../kernel/ffi/descriptor.ts';
import type { HeldDescriptor } from '../../kernel/processes/held-descriptor.ts';
import { closingAfter, openPipe } from '../../kernel/processes/pipe.ts';
import { type ChooseFailpoint, withFailpoint } from '../../kernel/program/instruction.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { compileStart, type HostFacts } from '../compile/start.ts';
import type { ContainerSpec } from '../spec/container-spec.ts';
import { commandError } from './command-error.ts';
import { ShimProcess } from './shim-process.ts';

export interface ContainerLaunch {
  readonly binary: ShimBinary;
  readonly host: HostFacts;
  /** Descriptor of the container's lock file; the shim holds the lock from now on. */
  readonly lockFd: number;
  /** What the shim holds of its network, when there is one already. */
  readonly networkFds: { readonly network?: number; readonly firewall?: number };
  /** Namespaces of another container, where the spec shares them. */
  readonly sharedFds: {
    readonly sharedIpc?: number;
    readonly sharedPid?: number;
    readonly sharedMounts?: number;
  };
  /** The user namespace that the program enters, if any. */
  readonly userns: number | undefined;
  /** Sockets of the ports that `spec.forward` lists. */
  readonly listeners: readonly number[];
  /** Called before anything of the program runs, to write down whose container it is. */
  readonly onSpawned: (shimPid: number, held: HeldDescriptor | undefined) => void;
  /** Default: nothing is made to fail. */
  readonly chooseFailpoint?: ChooseFailpoint | undefined;
}

/**
 * Starts the shim with the container's program. The handle comes back at once; the program runs meanwhile.
 *
 * `started` of the handle rejects with ProgramError, or with a CommandError when the image's command cannot be run.
 */
export function startContainerProcess(spec: ContainerSpec, launch: ContainerLaunch): ShimProcess {
  const stdin = openDescriptor('/dev/null', constants.O_RDONLY);
  const stdout = openPipe();
  const stderr = openPipe();
  return closingAfter([stdin, stdout.read, stdout.write, stderr.read, stderr.write], () => {
    const fds = {
      lock: launch.lockFd,
      stdin,
      stdout: stdout.write,
      stderr: stderr.write,
      logStdout: stdout.read,
      logStderr: stderr.read,
      ...launch.networkFds,
      ...launch.sharedFds,
      ...(launch.userns === undefined ? {} : { userns: launch.userns }),
    };
    return new ShimProcess({
      binary: launch.binary,
      outlivesThread: true,
      compile: (shimPid, held) => {
        launch.onSpawned(shimPid, held);
        return withFailpoint(compileStart(spec, launch.host), launch.chooseFailpoint);
      },
      fds,
      passed: launch.listeners,
      label: spec.id,
      explainFailure: commandError,
    });
  });
}
