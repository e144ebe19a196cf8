import type { Image } from '../images/store/image.ts';
import type { PullPolicy } from '../images/transfer/provide-image.ts';
import type { ByteSize } from '../support/byte-size.ts';
import type { Duration } from '../support/duration.ts';
import type { DeviceOption } from './devices.ts';
import type { HealthCheckOption } from './health/health-check-option.ts';
import type { LimitOptions } from './limits/limit-options.ts';
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

/** What to run and how. Wherever an option is left out, the image's configuration decides, as in Docker. */
export interface ContainerOptions extends LimitOptions {
  /** A reference (`postgres:17`), an id of an image in the local store, or an image itself. */
  readonly image: string | Image;
  /** When the registry is asked for the reference. Default: `missing`, which is when the local store does not have it. */
  readonly pull?: PullPolicy;
  /** Arguments to the entrypoint, or the command itself when there is none. Default: the image's Cmd. */
  readonly command?: readonly string[];
  /** Default: the image's Entrypoint. An empty list clears it. When given, the image's Cmd no longer applies. */
  readonly entrypoint?: readonly string[];
  /** Added to the image's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** `user[:group]`, names or numbers, resolved in the image. Default: the image's User, else root. */
  readonly user?: string;
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
  /** Ports that the container listens on, reachable at `host` and the same number. Default: those the image exposes. */
  readonly ports?: readonly number[];
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
  /** `default`: a bridge with a way out; `none`: loopback only; `host`: the host's own network. */
  readonly network?: 'default' | 'none' | 'host';
  /** What `stop` sends first. Default: the image's StopSignal, else SIGTERM. */
  readonly stopSignal?: string;
  /** How long `stop` waits before it kills. Default: 10 seconds. */
  readonly stopTimeout?: Duration;
  /** Bytes of log kept on disk; older output is dropped. Default: 64 MiB. */
  readonly logLimit?: ByteSize;
  /** True: it outlives the process that started it, and stays listed when it has ended, until it is removed. Default: false. */
  readonly detached?: boolean;
  /** How to tell whether it is well; `false` turns the image's HEALTHCHECK off. Default: the image's, if it has one. */
  readonly healthCheck?: HealthCheckOption | false;
  /** When `startContainer` resolves. Default: as soon as the process runs. */
  readonly waitFor?: WaitStrategy;
  /** Ends the start, and takes down what it had made; its reason is thrown. */
  readonly signal?: AbortSignal;
}
