import type { Writable } from 'node:stream';
import type { ContainerInspectInfo } from 'dockerode';
import type { Image } from '../images/store/image.ts';
import { orAborted } from '../support/abort.ts';
import type { Duration } from '../support/duration.ts';
import { MayflyError } from '../support/error.ts';
import { Turns } from '../support/turns.ts';
import { type CommitOptions, commitContainer } from './commit.ts';
import type { ContainerExit } from './container-error.ts';
import type { ContainerParts } from './container-parts.ts';
import { copyTargetOf } from './copy/container-root.ts';
import { CopiedPath } from './copy/copied-path.ts';
import { type CopySource, type CopyToOptions, copyTo } from './copy/copy-to.ts';
import { announceRun } from './events.ts';
import { containerLogs } from './evidence.ts';
import { type ExportOptions, exportContainer } from './export.ts';
import { inspectContainer } from './inspect.ts';
import type { LimitChanges } from './limits/limit-options.ts';
import { updateLimits } from './limits/update.ts';
import type { LogLine } from './log-line.ts';
import type { LogsOptions } from './logs.ts';
import { keepState, returnTo, runAgain } from './next-run.ts';
import { isPaused, pauseContainer, unpauseContainer } from './pause.ts';
import { ProcessSource } from './process-source.ts';
import { signalNumber } from './signals.ts';
import type { Snapshot } from './snapshots/snapshot.ts';
import type { SnapshotOptions } from './snapshots/take-snapshot.ts';
import {
  type ContainerStats,
  containerStats,
  containerStatsStream,
  type StatsStreamOptions,
} from './stats/stats.ts';
import { endContainer, killTold, removeContainer, settleContainer } from './stop.ts';
import { tell } from './told/tell.ts';
import type { WaitStrategy } from './wait/strategy.ts';
import { waitTarget } from './wait/target.ts';
import { waitUntilReady } from './wait/wait.ts';

/**
 * A container, started by this process or found with `getContainer`.
 *
 * One that this process has started lives until `stop`, the end of an `await using` block, or the death of this process, whichever
 * comes first; then nothing of it is left. A detached one lives until it ends or is stopped, and is there until `remove`.
 *
 * `snapshot`, `restore`, `start`, `restart`, `stop` and `remove` of one handle that are asked for at once happen in that order, one after
 * the other; the last two also end what runs by then.
 */
export class Container extends ProcessSource implements AsyncDisposable {
  /** What gives it other processes or needs those that it has; of two at once the second would find neither. */
  readonly #turns = new Turns();
  #removal: Promise<void> | undefined;

  constructor(parts: ContainerParts) {
    super(parts);
    announceRun(parts);
  }

  /**
   * Copies files into the container: from the host, out of memory, or out of a tar.
   *
   * @throws MayflyError `copy.*`, `container.exited`
   */
  copyTo(path: string, source: CopySource, options: CopyToOptions = {}): Promise<void> {
    return copyTo(copyTargetOf(this.parts), { ...options, path, source });
  }

  /** A path in the container, to be read as text, bytes or a tar, or copied to the host. */
  copyFrom(path: string): CopiedPath {
    return new CopiedPath(copyTargetOf(this.parts), path);
  }

  /** What the container has written, line by line; with `follow` until it ends. */
  logs(options: LogsOptions = {}): AsyncGenerator<LogLine, void, void> {
    return containerLogs(this.parts, options);
  }

  /** The state and configuration, in the shape that Docker's engine gives. */
  async inspect(): Promise<ContainerInspectInfo> {
    return inspectContainer({ parts: this.parts, container: this });
  }

  /** Sends a signal to the container's process. Default: SIGKILL. Nothing happens when it has ended. */
  async kill(signal: string | number = 'SIGKILL'): Promise<void> {
    killTold(this.parts, signalNumber(signal));
  }

  /**
   * Stops all processes where they are; resolves when they stand still. `exec` is refused until `unpause`; `stop` and
   * `kill` wake them.
   *
   * @throws ContainerError `container.exited`; MayflyError `wait.timeout` when one does not stand still within 10 seconds
   */
  async pause(): Promise<void> {
    const before = isPaused(this.parts);
    await pauseContainer(this.parts);
    if (!before) tell(this.parts, { action: 'pause' });
  }

  /** Lets them go on. */
  async unpause(): Promise<void> {
    const before = isPaused(this.parts);
    await unpauseContainer(this.parts);
    if (before) tell(this.parts, { action: 'unpause' });
  }

  /**
   * Changes limits while the container runs: all that are given, or none. What is left out stays; null lifts a limit.
   *
   * @throws MayflyError `option.invalid`, `cgroup.…` as a start with such limits; `container.exited`
   */
  update(changes: LimitChanges): Promise<void> {
    return updateLimits(this.parts, changes);
  }

  /**
   * Keeps what the container has written as a new layer on its image. A running one stands still meanwhile and goes on.
   *
   * @throws MayflyError `image.bad-reference`, `build.*` for a bad change, `cgroup.cannot-freeze`, `layer.*`
   */
  commit(reference?: string, options: CommitOptions = {}): Promise<Image> {
    return commitContainer(this.parts, { ...options, reference });
  }

  /**
   * Writes the container's file system, its image and what it has written, as one tar: to a path of the host, which is removed again
   * when it fails, or into a stream, which is ended. What is mounted is not part. A running container stands still only while what it
   * has written is copied.
   *
   * @throws MayflyError `cgroup.cannot-freeze`, `layer.*`, `container.layer-gone`, `container.storage-in-memory`,
   * `copy.no-such-path`, `copy.no-space`
   */
  export(to: string | Writable, options: ExportOptions = {}): Promise<void> {
    return exportContainer(this.parts, to, options);
  }

  /**
   * Keeps what the container has written as it is at this instant, for `restore` and for further containers; the container goes on.
   * With a name it outlives this process, and takes the name over from an older one.
   *
   * @throws MayflyError `snapshot.bad-name`, `cgroup.cannot-freeze` where only `{ method: 'seal' }` works,
   * `container.unclean-stop`, `container.storage-in-memory`, `container.too-many-layers`; ContainerError `container.exited`
   */
  snapshot(name?: string, options: SnapshotOptions = {}): Promise<Snapshot<this>> {
    return this.#turns.take(() => keepState(this, { ...options, name }));
  }

  /**
   * Back to a snapshot, of this container or another one: all processes are replaced, what was written since is dropped. Id, name,
   * address, published ports and this handle stay; open connections end. Resolves when the container is ready again.
   *
   * Connections of one's own get an error: queries in flight reject, and a `pg.Client` is of no use any longer. `pg.Pool`, `postgres`
   * and `redis` connect again when they are next asked. Listen to `error` of clients and pools of `pg` and `redis`; when nobody does,
   * that event ends the process.
   *
   * @throws MayflyError `container.layer-gone` when the snapshot has been removed; as `start`
   */
  restore(snapshot: Snapshot, options: { signal?: AbortSignal } = {}): Promise<void> {
    return this.#turns.take(() => returnTo(this, snapshot, options));
  }

  /** CPU time, memory, processes, disk and network traffic. @throws ContainerError `container.exited` */
  stats(): Promise<ContainerStats> {
    return containerStats(this.parts);
  }

  /** The same again and again, until the container ends. */
  statsStream(options: StatsStreamOptions = {}): AsyncGenerator<ContainerStats, void, void> {
    return containerStatsStream(this.parts, options);
  }

  /** Resolves when the present run has ended, with how it did; at once when it has. @throws the signal's reason */
  async wait({ signal }: { signal?: AbortSignal } = {}): Promise<ContainerExit> {
    const { supervision, exited, exit } = this.parts.run;
    supervision.ref();
    try {
      const { exitCode, oomKilled } = exit ?? (await orAborted(exited, signal));
      return { exitCode, oomKilled };
    } finally {
      supervision.unref();
    }
  }

  /**
   * Ends the container, the stop signal first, SIGKILL after `timeout`, and removes everything of it, unless it is detached.
   *
   * Stopping twice is no error. Default for `timeout`: the option stopTimeout, else 10 seconds.
   */
  async stop({ timeout }: { timeout?: Duration } = {}): Promise<void> {
    const end = () => this.#end(timeout);
    // At once, so that nobody waits for it to become ready; and again, as it may have been asked to run again before.
    await end();
    await this.#turns.take(async () => {
      await end();
      const { spec, options } = this.parts.record;
      if (spec.detached && options.autoRemove !== true) await settleContainer(this.parts);
      else await this.#remove();
    });
  }

  /**
   * Removes everything of a container that has ended; removing twice is no error.
   *
   * `force`: kills it first. Default: false.
   *
   * @throws MayflyError `container.running`
   */
  async remove({ force = false }: { force?: boolean } = {}): Promise<void> {
    const { run } = this.parts;
    if (run.exit === undefined && !force) {
      throw new MayflyError('container.running', `${this.name} is running, so it cannot be removed`, {
        hint: 'stop it first, or give { force: true }',
      });
    }
    const end = () => endContainer(this.parts, 0);
    await end();
    await this.#turns.take(async () => {
      await end();
      await this.#remove();
    });
  }

  /**
   * Runs a container again that has ended: the same id, name, files and address. Nothing happens while it runs.
   *
   * One that is not detached lives from then on until this process ends. Resolves when it is ready, by the strategy that this
   * handle was started with.
   *
   * @throws MayflyError `container.not-found` when it has been removed; whatever a start throws
   */
  start(options: { signal?: AbortSignal } = {}): Promise<void> {
    return this.#turns.take(() => runAgain(this, options));
  }

  /** Ends the container as `stop` does, and runs it again as `start` does. */
  restart({ timeout, ...options }: { timeout?: Duration; signal?: AbortSignal } = {}): Promise<void> {
    return this.#turns.take(async () => {
      await this.#end(timeout);
      await runAgain(this, options);
      tell(this.parts, { action: 'restart' });
    });
  }

  /** Stops a container that this process has started, unless it is detached. Of any other, only the handle ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { run, record } = this.parts;
    if (run.ours && !record.spec.detached) await this.stop();
    else run.supervision.release();
  }

  /** Resolves when the container is ready by `strategy`; without one, when its process runs, which it does. */
  async waitUntilReady(strategy: WaitStrategy | undefined, signal?: AbortSignal): Promise<void> {
    if (strategy === undefined) return;
    const { supervision } = this.parts.run;
    supervision.ref();
    try {
      await waitUntilReady(strategy, waitTarget(this), { signal });
    } finally {
      supervision.unref();
    }
  }

  async #end(timeout: Duration | undefined): Promise<void> {
    if (this.parts.run.exit !== undefined) return;
    await endContainer(this.parts, timeout);
    tell(this.parts, { action: 'stop' });
  }

  #remove(): Promise<void> {
    this.#removal ??= removeContainer(this.parts);
    return this.#removal;
  }
}
