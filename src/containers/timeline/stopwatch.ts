/** Moments of a start as the process that starts it sees them, in milliseconds on CLOCK_MONOTONIC. */
export interface Moments {
  /** The start was asked for. */
  readonly asked: number;
  /** What can be refused has been; the image is looked for. */
  readonly resolved: number;
  /** Its layers are there. */
  readonly layered: number;
  /** The container is ready. */
  readonly ready: number;
}

/** Takes the moments of one start, each once, in their order. */
export class Stopwatch {
  readonly #taken: Partial<Record<keyof Moments, number>> = { asked: now() };

  take(moment: Exclude<keyof Moments, 'asked'>): void {
    this.#taken[moment] = now();
  }

  /** A run of a container that was there before has no layers to find. */
  get moments(): Moments {
    const { asked = 0, resolved = asked, layered = resolved, ready = now() } = this.#taken;
    return { asked, resolved, layered, ready };
  }
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
