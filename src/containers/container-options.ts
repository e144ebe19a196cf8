import type { Image } from '../images/store/image.ts';
import type { PullPolicy } from '../images/transfer/provide-image.ts';
import type { ByteSize } from '../support/byte-size.ts';
import type { Duration } from '../support/duration.ts';
import type { DeviceOption } from './devices.ts';
import type { HealthCheckOption } from './health/health-check-option.ts';
import type { LimitOptions } from './limits/limit-options.ts';
import type { PrivilegeOptions } from './privileges/privilege-options.ts';
import type { TerminalOption } from './terminal.ts';
import type { WaitStrategy } from './wait/strategy.ts';

/** One more mount. A relative path or a source that does not exist is an error, never created. */
export type MountOption =
  | {
      readonly type: 'bind';
      readonly source: string;
      readonly target: string /** Default: false. */;
      readonly readOnly?: boolean;
    }
  | {
      readonly type: 'tmpfs';
      readonly target: string;
      /** Default: half of the machine's memory, as the kernel has it. */
      readonly size?: ByteSize;
      /** Permission bits. Default: 0o1777. */
      readonly mode?: number;
    };

/** The namespace of another container of the same user, which has to run. */
export interface SharedNamespace {
  /** Name, id or the first digits of one. */
  readonly container: string;
}

export type PortOption =
  | number
  | {
      readonly container: number;
      /** Port of the host. Default: 0, one that is free. Taken by somebody else: `network.port-taken`. */
      readonly host?: number;
      /** Address of the host. Default: its loopback, 127.0.0.1 and ::1. */
      readonly hostIp?: string;
    };

/** What to run and how. Wherever an option is left out, the image's configuration decides, as in Docker. */
export interface ContainerOptions extends LimitOptions, PrivilegeOptions {
  /** A reference (`postgres:17`), an id of an image in the local store, or an image itself. */
  readonly image: string | Image;
  /** When the registry is asked for the reference. Default: `missing`, which is when the local store does not have it. */
  readonly pull?: PullPolicy;
  /** `os/architecture[/variant]`, which has to be this machine's. Default: this machine's. */
  readonly platform?: string;
  /** Arguments to the entrypoint, or the command itself when there is none. Default: the image's Cmd. */
  readonly command?: readonly string[];
  /** Default: the image's Entrypoint. An empty list clears it. When given, the image's Cmd no longer applies. */
  readonly entrypoint?: readonly string[];
  /** Added to the image's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** `user[:group]`, names or numbers, resolved in the image. Default: the image's User, else root. */
  readonly user?: string;
  /** Groups that it is in beside those of the image's /etc/group, names or numbers. */
  readonly groupAdd?: readonly string[];
  /** Absolute path, created when missing. Default: the image's WorkingDir, else `/`. */
  readonly cwd?: string;
  /** Default: the first 12 digits of the id. */
  readonly hostname?: string;
  /** Unique among the living containers of this home. Default: two words and a number. */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** False for an image whose process has to be PID 1 itself. Default: true, our own init reaps and forwards signals. */
  readonly init?: boolean;
  readonly mounts?: readonly MountOption[];
  /**
   * TCP ports that the container listens on. Default: those the image exposes.
   *
   * For root they are reached at the container's own address under the same numbers, unless one of them is given as an object.
   * Then, and always for an ordinary user, all of them are published at the host; `host`, `port` and `getMappedPort` of the
   * container say where.
   */
  readonly ports?: readonly PortOption[];
  /** True: publishes the ports at the host, whether one of them is given as an object or not. Default: false. */
  readonly publishAll?: boolean;
  /**
   * Devices of the host beside the usual ones (null, zero, full, random, urandom, tty, pseudo terminals). Nothing else can
   * be opened, not even by who may make a node for it.
   */
  readonly devices?: readonly DeviceOption[];
  /**
   * Count memory, disk traffic and processes from the start, for `stats`. Default: where that is free, which is on cgroup
   * v2, or on v1 when any limit is given; else counting begins with the first `stats` or `update`, because joining costs
   * 12 ms there.
   */
  readonly accounting?: boolean;
  /** Size of /dev/shm. Default: 64 MiB. */
  readonly shmSize?: ByteSize;
  /**
   * How much the container may write outside of its mounts, in memory: it counts against `memory` and is gone after a restart.
   * Beyond it, writes fail with ENOSPC. Default: on disk, as much as there is room for.
   */
  readonly storageSize?: ByteSize;
  /**
   * Nothing can be written but in mounts, in the image's VOLUMEs, /dev, /dev/shm and /dev/mqueue, as with Docker's `--read-only`.
   * Default: false.
   */
  readonly readOnly?: boolean;
  /** Kernel settings of the container's own namespaces: `{ 'net.core.somaxconn': '1024' }`. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** More lines of /etc/hosts: name to address; `host-gateway` stands for the host's address on the container's network. */
  readonly extraHosts?: Readonly<Record<string, string>>;
  /**
   * Processes: its own, or those of another container as well, which see each other then. When that one ends, this one does.
   * Takes cgroup2 and Linux 5.14. Default: `private`.
   */
  readonly pid?: 'private' | SharedNamespace;
  /** What CLOCK_MONOTONIC and CLOCK_BOOTTIME are ahead of the host's by, in whole seconds. Default: they are the host's. */
  readonly clockOffsets?: { readonly monotonic?: Duration; readonly boottime?: Duration };
  /** System V IPC, POSIX message queues and /dev/shm: its own, or those of another container, by name or id. Default: `private`. */
  readonly ipc?: 'private' | SharedNamespace;
  /** `default`: a bridge with a way out; `none`: loopback only; `host`: the host's own network. */
  readonly network?: 'default' | 'none' | 'host';
  /** What `stop` sends first. Default: the image's StopSignal, else SIGTERM. */
  readonly stopSignal?: string;
  /** How long `stop` waits before it kills. Default: 10 seconds. */
  readonly stopTimeout?: Duration;
  /**
   * Bytes of log kept on disk; older output is dropped. As many are kept of what was written before a restore. Default: 64 MiB.
   */
  readonly logLimit?: ByteSize;
  /**
   * A terminal for the first process, in place of three pipes: what it writes is one stream then, `stdout` in the log. Default: false.
   */
  readonly tty?: TerminalOption;
  /** The first process reads what `attach`ed clients write, until one ends its input. Default: false, it reads nothing. */
  readonly openStdin?: boolean;
  /** True: it outlives the process that started it, and stays listed when it has ended, until it is removed. Default: false. */
  readonly detached?: boolean;
  /** Removes a detached container as soon as it has ended: what is left of it is no longer listed. Default: false. */
  readonly autoRemove?: boolean;
  /** How to tell whether it is well; `false` turns the image's HEALTHCHECK off. Default: the image's, if it has one. */
  readonly healthCheck?: HealthCheckOption | false;
  /** Copies of each of its snapshots that are kept started and ready; see `snapshot`. Default: 0. */
  readonly spares?: number;
  /** When `startContainer` resolves. Default: as soon as the process runs. */
  readonly waitFor?: WaitStrategy;
  /** Ends the start, and takes down what it had made; its reason is thrown. */
  readonly signal?: AbortSignal;
}
