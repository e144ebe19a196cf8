import { setTimeout as delay } from 'node:timers/promises';
import { NotReadyError } from './strategy.ts';

interface Attempts {
  readonly signal: AbortSignal;
  /** Milliseconds between the first two attempts; each further pause is a third longer. Default: 1. */
  readonly firstPause?: number;
  /** Milliseconds. Default: 25. */
  readonly longestPause?: number;
}

/**
 * Repeats until `attempt` finds nothing wrong; it returns what is, in words.
 *
 * @throws NotReadyError with what was wrong last, once the signal aborts
 */
export async function untilNothingIsWrong(
  attempt: () => Promise<string | undefined>,
  { signal, firstPause = 1, longestPause = 25 }: Attempts,
): Promise<void> {
  let pause = firstPause;
  for (let wrong = ''; ; ) {
    // What an attempt says that was cut off by the signal is that it was cut off.
    const now = await attempt();
    if (now === undefined) return;
    if (!signal.aborted || wrong === '') wrong = now;
    await delay(pause, undefined, { signal }).catch(() => {
      throw new NotReadyError(wrong);
    });
    pause = Math.min(pause * 1.33, longestPause);
  }
}
