import { constants } from 'node:fs';
import { openDescriptor } from '../../kernel/ffi/descriptor.ts';
import type { HeldDescriptor } from '../../kernel/processes/held-descriptor.ts';
import { closingAfter, openPipe } from '../../kernel/processes/pipe.ts';
import type { FDS } from '../../kernel/program/abi.ts';
import { type ChooseFailpoint, withFailpoint } from '../../kernel/program/instruction.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { compileStart, type HostFacts } from '../compile/start.ts';
import type { ContainerSpec } from '../spec/container-spec.ts';
import { commandError } from './command-error.ts';
import { ShimProcess } from './shim-process.ts';
import { openHandover } from './terminal-handover.ts';

export interface ContainerLaunch {
  readonly binary: ShimBinary;
  readonly host: HostFacts;
  /** Descriptor of the container's lock file; the shim holds the lock from now on. */
  readonly lockFd: number;
  /** What the shim holds of its network, when there is one already, and the container's own namespace, when it is to be kept. */
  readonly networkFds: Partial<
    Record<'network' | 'firewall' | 'netns' | 'interfaces' | 'connections', number>
  >;
  /** Namespaces of another container, where the spec shares them. */
  readonly sharedFds: {
    readonly sharedIpc?: number;
    readonly sharedPid?: number;
    readonly sharedMounts?: number;
  };
  /** The user namespace that the program enters, if any. */
  readonly userns: number | undefined;
  /** Sockets of the ports that `spec.forward` lists, and what else it says is passed. */
  readonly listeners: readonly number[];
  /** A client that is attached to the container's streams from the start, as one end of a pair of sockets. Default: none. */
  readonly attached?: number | undefined;
  /** Whose place the container takes. Default: nobody's. */
  readonly former?:
    | {
        /** Of its init. */
        readonly pidfd: number;
        /** Events: the container's process may begin, when that has ended; it may begin even before. */
        readonly go: number;
        readonly beside: number;
        /** As StartOptions has it. */
        readonly copied: readonly string[];
      }
    | undefined;
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
  const streams = openStreams(spec);
  return closingAfter(Object.values(streams), () => {
    const fds = {
      lock: launch.lockFd,
      ...streams,
      ...(launch.attached === undefined ? {} : { attached: launch.attached }),
      ...launch.networkFds,
      ...launch.sharedFds,
      ...(launch.userns === undefined ? {} : { userns: launch.userns }),
      ...(launch.former && {
        pidfd: launch.former.pidfd,
        go: launch.former.go,
        beside: launch.former.beside,
      }),
    };
    return new ShimProcess({
      binary: launch.binary,
      outlivesThread: true,
      compile: (shimPid, held) => {
        launch.onSpawned(shimPid, held);
        const { attached, former } = launch;
        const given = {
          attached: attached !== undefined,
          succeeds: former !== undefined,
          copied: former?.copied ?? [],
        };
        return withFailpoint(compileStart(spec, launch.host, given), launch.chooseFailpoint);
      },
      fds,
      passed: launch.listeners,
      label: spec.id,
      explainFailure: commandError,
    });
  });
}

/** What the first process reads and writes, and the shim's ends of it. A terminal is made by the program. */
function openStreams({ process, openStdin }: ContainerSpec): Partial<Record<keyof typeof FDS, number>> {
  if (process.terminal !== undefined) return openHandover();
  const [stdout, stderr] = [openPipe(), openPipe()];
  const outputs = {
    stdout: stdout.write,
    stderr: stderr.write,
    logStdout: stdout.read,
    logStderr: stderr.read,
  };
  if (!openStdin) return { stdin: openDescriptor('/dev/null', constants.O_RDONLY), ...outputs };
  const stdin = openPipe();
  return { stdin: stdin.read, input: stdin.write, ...outputs };
}
