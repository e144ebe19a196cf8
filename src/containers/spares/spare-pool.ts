import { isThere } from '../../kernel/processes/process-identity.ts';
import { deadlineIn, poll } from '../../support/deadline.ts';
import { debugLog } from '../../support/debug.ts';
import type { Container } from '../container.ts';
import { expectRecord } from '../container-record.ts';
import { beginPause, isPaused, wakeContainer } from '../pause.ts';
import type { SnapshotParts } from '../snapshots/snapshot.ts';
import { startFromSnapshot } from '../snapshots/start-from-snapshot.ts';
import { fitsMemory } from './memory-budget.ts';
import { SPARE_LABEL } from './spare-label.ts';

const debug = debugLog('spares');

/** Milliseconds between a hand-over and the start of the next spare: whoever took one is about to use it. */
const REST = 100;
/** A process in an uninterruptible system call stands still only when that is over. */
const STILL_TIMEOUT = 10_000;

/**
 * Copies of one snapshot that have been started, are ready, and stand still until somebody takes one. They belong to this process
 * and end with it. One is started at a time, so that what the process has to do itself comes first.
 */
export class SparePool {
  readonly #snapshot: SnapshotParts;
  #size: number;
  readonly #ready: Container[] = [];
  #filling: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #failure: unknown;

  constructor(snapshot: SnapshotParts, size: number) {
    this.#snapshot = snapshot;
    this.#size = size;
    void this.fill();
  }

  /** One that is ready and suits, running again, with another one on its way; undefined when there is none. */
  take(suits: (spare: Container) => boolean = () => true): Container | undefined {
    const spare = this.#next(suits);
    if (spare !== undefined) wakeContainer(spare.parts);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.fill(), this.#ready.length === 0 ? 0 : REST).unref();
    return spare;
  }

  resize(size: number): void {
    this.#size = size;
    void this.fill();
  }

  /** Resolves when there are as many as there shall be, and no more, or when there can be no more; then `failure` says why. */
  fill(): Promise<void> {
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  /** Why there are not as many as there shall be; undefined when there are. */
  get failure(): unknown {
    return this.#failure;
  }

  get ready(): number {
    return this.#ready.length;
  }

  /** Ends all of them. What is just being started ends as soon as it can. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#filling;
    await Promise.all(this.#ready.splice(0).map((spare) => spare.stop({ timeout: 0 })));
  }

  #next(suits: (spare: Container) => boolean): Container | undefined {
    for (;;) {
      // All of them are alike.
      if (this.#ready[0] === undefined || !suits(this.#ready[0])) return undefined;
      const spare = this.#ready.shift()!;
      if (isThere(spare.parts.run.pid)) return spare;
      // Killed by somebody while it stood still.
      void this.#end(spare);
    }
  }

  async #end(spare: Container): Promise<void> {
    try {
      await spare.stop({ timeout: 0 });
    } catch (error) {
      debug('a spare that is not needed is still there: %s', error);
    }
  }

  async #fill(): Promise<void> {
    this.#failure = undefined;
    try {
      while (!this.#closed && this.#ready.length < this.#size && fitsMemory(this.#ready)) {
        const spare = await this.#start();
        this.#ready.push(spare);
        // By then it can be taken already: who sees that it stands still knows that it is ready.
        await this.#standStill(spare);
      }
      const needed = this.#closed ? 0 : this.#size;
      await Promise.all(this.#ready.splice(needed).map((spare) => this.#end(spare)));
    } catch (error) {
      // Whoever wants one then starts his own, and learns what is wrong.
      debug('no spare: %s', error);
      this.#failure = error;
    }
  }

  async #start(): Promise<Container> {
    const { record, service } = this.#snapshot;
    const spare = await startFromSnapshot(this.#snapshot, {
      // Whatever it is a copy of.
      detached: false,
      labels: { ...record.options.labels, [SPARE_LABEL]: record.id },
    });
    try {
      await service?.warm?.(spare);
      expectRecord(spare.parts.engine.home, spare.id);
      return spare;
    } catch (error) {
      await this.#end(spare);
      throw error;
    }
  }

  /** Resolves when it stands still, or is taken before; where nothing can be frozen it runs on. */
  async #standStill({ parts }: Container): Promise<void> {
    if (!beginPause(parts)) return;
    await poll(() => isPaused(parts) || !this.#ready.some((spare) => spare.parts === parts) || undefined, {
      deadline: deadlineIn(STILL_TIMEOUT),
      what: `pausing ${parts.record.name}`,
    });
  }
}
