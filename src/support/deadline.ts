import { setTimeout as delay } from 'node:timers/promises';
import { MayflyError } from './error.ts';

/** A moment after which waiting is pointless. `remaining()` is in milliseconds and never negative. */
export interface Deadline {
  readonly total: number;
  remaining(): number;
  expired(): boolean;
}

export function deadlineIn(milliseconds: number): Deadline {
  const end = performance.now() + milliseconds;
  return {
    total: milliseconds,
    remaining: () => Math.max(0, end - performance.now()),
    expired: () => performance.now() >= end,
  };
}

export interface PollOptions {
  readonly deadline: Deadline;
  readonly signal?: AbortSignal | undefined;
  /** What is awaited, for the error: `the lock on layers`. */
  readonly what: string;
  /** First pause between two attempts in milliseconds; grows by half each time up to `maxInterval`. Default 1. */
  readonly interval?: number;
  /** Default 50 milliseconds. */
  readonly maxInterval?: number;
}

/**
 * Repeats `attempt` until it returns something other than undefined.
 *
 * @throws MayflyError `wait.timeout` at the deadline; the signal's reason when it aborts.
 */
export async function poll<T>(
  attempt: () => T | undefined | Promise<T | undefined>,
  options: PollOptions,
): Promise<T> {
  const { deadline, signal, what, maxInterval = 50 } = options;
  let pause = options.interval ?? 1;
  for (;;) {
    signal?.throwIfAborted();
    const value = await attempt();
    if (value !== undefined) return value;
    if (deadline.expired()) throw new MayflyError('wait.timeout', `${what}: not within ${deadline.total} ms`);
    await delay(Math.min(pause, deadline.remaining() + 1), undefined, signal ? { signal } : {});
    pause = Math.min(pause * 1.5, maxInterval);
  }
}
