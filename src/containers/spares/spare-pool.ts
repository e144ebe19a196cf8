import { isThere } from '../../kernel/processes/process-identity.ts';
import { debugLog } from '../../support/debug.ts';
import type { Container } from '../container.ts';
import { wakeContainer } from '../pause.ts';
import type { SnapshotParts } from '../snapshots/snapshot.ts';
import { fitsMemory } from './memory-budget.ts';
import { endSpare, standStill, startSpare } from './spare.ts';

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
      void endSpare(spare);
    }
  }

  async #fill(): Promise<void> {
    this.#failure = undefined;
    try {
      while (!this.#closed && this.#ready.length < this.#size && fitsMemory(this.#ready)) {
        const spare = await startSpare(this.#snapshot);
        this.#ready.push(spare);
        // It can be taken before: who sees that it stands still knows that it is ready.
        await standStill(spare, { isTaken: () => !this.#ready.includes(spare) });
      }
      const needed = this.#closed ? 0 : this.#size;
      await Promise.all(this.#ready.splice(needed).map((spare) => endSpare(spare)));
    } catch (error) {
      // Whoever wants one then starts his own, and learns what is wrong.
      debug('no spare: %s', error);
      this.#failure = error;
    }
  }
}
