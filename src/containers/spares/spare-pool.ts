import { isThere } from '../../kernel/processes/process-identity.ts';
import { debugLog } from '../../support/debug.ts';
import { isMayflyError } from '../../support/error.ts';
import type { Container } from '../container.ts';
import { expectRecord } from '../container-record.ts';
import { pauseContainer, wakeContainer } from '../pause.ts';
import type { SnapshotParts } from '../snapshots/snapshot.ts';
import { startFromSnapshot } from '../snapshots/start-from-snapshot.ts';
import { fitsMemory } from './memory-budget.ts';
import { SPARE_LABEL } from './spare-label.ts';

const debug = debugLog('spares');

/** Milliseconds between a hand-over and the start of the next spare: whoever took one is about to use it. */
const REST = 100;

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
        const spare = await startFromSnapshot(this.#snapshot, {
          // Whatever it is a copy of.
          detached: false,
          labels: { ...this.#snapshot.record.options.labels, [SPARE_LABEL]: this.#snapshot.record.id },
        });
        await this.#snapshot.service?.warm?.(spare);
        expectRecord(spare.parts.engine.home, spare.id);
        await standStill(spare);
        if (this.#closed) await spare.stop({ timeout: 0 });
        else this.#ready.push(spare);
      }
      await Promise.all(this.#ready.splice(this.#size).map((spare) => this.#end(spare)));
    } catch (error) {
      // Whoever wants one then starts his own, and learns what is wrong.
      debug('no spare: %s', error);
      this.#failure = error;
    }
  }
}

/** Where nothing can be frozen, it runs on. */
async function standStill(spare: Container): Promise<void> {
  try {
    await pauseContainer(spare.parts);
  } catch (error) {
    if (!isMayflyError(error, 'cgroup.cannot-freeze')) throw error;
  }
}
