import type { ContainerInspectInfo } from 'dockerode';
import type { Duration } from '../support/duration.ts';
import { MayflyError } from '../support/error.ts';
import type { ContainerParts } from './container-parts.ts';
import { copyTargetOf } from './copy/container-root.ts';
import { CopiedPath } from './copy/copied-path.ts';
import { type CopySource, type CopyToOptions, copyTo } from './copy/copy-to.ts';
import { containerLogs } from './evidence.ts';
import { type ExecOptions, type ExecResult, runExec } from './exec/exec.ts';
import { startExec } from './exec/start.ts';
import { inspectContainer } from './inspect.ts';
import type { LimitChanges } from './limits/limit-options.ts';
import { updateLimits } from './limits/update.ts';
import type { LogLine } from './log-line.ts';
import type { LogsOptions } from './logs.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { exposedPorts } from './ports.ts';
import { signalNumber } from './signals.ts';
import {
  type ContainerStats,
  containerStats,
  containerStatsStream,
  type StatsStreamOptions,
} from './stats/stats.ts';
import { endContainer, removeContainer, signalContainer } from './stop.ts';
import type { WaitStrategy } from './wait/strategy.ts';
import { waitTarget } from './wait/target.ts';
import { waitUntilReady } from './wait/wait.ts';

/**
 * A container, started by this process or found with `getContainer`. One that this process has started lives until `stop`, the end
 * of an `await using` block, or the death of this process, whichever comes first; then nothing of it is left.
 */
export class Container implements AsyncDisposable {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** Where this process reaches the container. */
  readonly host: string;
  /** The container's own address; that of the host's loopback when it shares the host's network. */
  readonly ipAddress: string;
  /** All ports that the options or the image name. */
  readonly ports: readonly number[];
  readonly #parts: ContainerParts;
  #removal: Promise<void> | undefined;

  constructor(parts: ContainerParts) {
    const { spec, name, attachment, options, image } = parts.record;
    this.#parts = parts;
    this.id = spec.id;
    this.name = name;
    this.ipAddress = attachment.ip ?? '127.0.0.1';
    this.host = this.ipAddress;
    this.ports = exposedPorts(options.ports, image.config);
  }

  /** When the present run began. */
  get startedAt(): Date {
    return new Date(this.#parts.record.startedAt);
  }

  /** The first of `ports`. @throws MayflyError `container.no-port` when there is none */
  get port(): number {
    const [first] = this.ports;
    if (first !== undefined) return first;
    throw new MayflyError('container.no-port', `${this.name} exposes no port`, {
      hint: 'name it with the option ports',
    });
  }

  /**
   * Runs a command in the container. A code other than 0 does not reject.
   *
   * @throws CommandError when it cannot be executed (126, 127); MayflyError `exec.timeout`; `container.exited`
   */
  async exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    options.signal?.throwIfAborted();
    return runExec(await startExec(this.#parts, { argv, ...options }), options);
  }

  /**
   * Copies files into the container: from the host, out of memory, or out of a tar.
   *
   * @throws MayflyError `copy.*`, `container.exited`
   */
  copyTo(path: string, source: CopySource, options: CopyToOptions = {}): Promise<void> {
    return copyTo(copyTargetOf(this.#parts), { ...options, path, source });
  }

  /** A path in the container, to be read as text, bytes or a tar, or copied to the host. */
  copyFrom(path: string): CopiedPath {
    return new CopiedPath(copyTargetOf(this.#parts), path);
  }

  /** What the container has written, line by line; with `follow` until it ends. */
  logs(options: LogsOptions = {}): AsyncGenerator<LogLine, void, void> {
    return containerLogs(this.#parts, options);
  }

  /** The state and configuration, in the shape that Docker's engine gives. */
  async inspect(): Promise<ContainerInspectInfo> {
    return inspectContainer({ parts: this.#parts, container: this });
  }

  /** Sends a signal to the container's process. Default: SIGKILL. Nothing happens when it has ended. */
  async kill(signal: string | number = 'SIGKILL'): Promise<void> {
    signalContainer(this.#parts, signalNumber(signal));
  }

  /**
   * Stops all processes where they are; resolves when they stand still. `exec` is refused until `unpause`; `stop` and
   * `kill` wake them.
   *
   * @throws ContainerError `container.exited`; MayflyError `wait.timeout` when one does not stand still within 10 seconds
   */
  pause(): Promise<void> {
    return pauseContainer(this.#parts);
  }

  /** Lets them go on. */
  unpause(): Promise<void> {
    return unpauseContainer(this.#parts);
  }

  /**
   * Changes limits while the container runs: all that are given, or none. What is left out stays; null lifts a limit.
   *
   * @throws MayflyError `option.invalid`, `cgroup.…` as a start with such limits; `container.exited`
   */
  update(changes: LimitChanges): Promise<void> {
    return updateLimits(this.#parts, changes);
  }

  /** CPU time, memory, processes, disk and network traffic. @throws ContainerError `container.exited` */
  stats(): Promise<ContainerStats> {
    return containerStats(this.#parts);
  }

  /** The same again and again, until the container ends. */
  statsStream(options: StatsStreamOptions = {}): AsyncGenerator<ContainerStats, void, void> {
    return containerStatsStream(this.#parts, options);
  }

  /**
   * Ends the container and removes everything of it: the stop signal first, SIGKILL after `timeout`.
   *
   * Stopping twice is no error. Default for `timeout`: the option stopTimeout, else 10 seconds.
   */
  stop({ timeout }: { timeout?: Duration } = {}): Promise<void> {
    this.#removal ??= endContainer(this.#parts, timeout).then(() => removeContainer(this.#parts));
    return this.#removal;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Resolves when the container is ready by `strategy`; without one, when its process runs, which it does. */
  async waitUntilReady(strategy: WaitStrategy | undefined, signal?: AbortSignal): Promise<void> {
    if (strategy === undefined) return;
    const { supervision } = this.#parts.run;
    supervision.ref();
    try {
      await waitUntilReady(strategy, waitTarget(this), { signal });
    } finally {
      supervision.unref();
    }
  }

  /** For functions of mayfly that do more with a container than its handle does. @internal */
  get parts(): ContainerParts {
    return this.#parts;
  }
}
