import { setTimeout as delay } from 'node:timers/promises';
import { isPassing, RegistryError } from '../registry-error.ts';

/** A server that asks for a longer pause is told to the caller instead of being waited for. */
const LONGEST_PAUSE = 60_000;

export interface RetryOptions {
  /** How often something is tried in all. */
  readonly attempts: number;
  /** Milliseconds before the second attempt; doubles with each. */
  readonly firstPause: number;
  /** Asked after a failure: true when so much was achieved that the count begins anew. */
  readonly progressed?: (() => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Three tries within two seconds: long enough for a restart behind a load balancer, short enough for a test run. */
export const DEFAULT_RETRY = { attempts: 4, firstPause: 300 } as const;

/** Wraps the answer 429 with the pause that the server asks for. */
export class RateLimitError extends RegistryError {
  /** Milliseconds; undefined when the server names none. */
  readonly retryAfter: number | undefined;

  constructor(message: string, { host, retryAfter }: { host: string; retryAfter: number | undefined }) {
    super('registry.rate-limited', message, {
      host,
      status: 429,
      hint:
        retryAfter === undefined
          ? 'log in (docker login), wait, or use a mirror (registries.json)'
          : `log in (docker login), use a mirror (registries.json), or wait ${Math.ceil(retryAfter / 1000)} s`,
    });
    this.retryAfter = retryAfter;
  }
}

/** Repeats what failed for a passing reason, with growing pauses or the one that the server asks for. */
export async function withRetry<T>(task: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, firstPause, progressed, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await task();
    } catch (error) {
      signal?.throwIfAborted();
      if (progressed?.()) attempt = 1;
      // Half of it by chance, so that many clients which were refused together do not come back together.
      const backOff = firstPause * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
      const pause = error instanceof RateLimitError ? (error.retryAfter ?? backOff) : backOff;
      const hopeful = isPassing(error) || (error instanceof RateLimitError && pause <= LONGEST_PAUSE);
      if (!hopeful || attempt === attempts) throw error;
      await delay(pause, undefined, signal ? { signal } : {});
    }
  }
}

/** Milliseconds that a Retry-After header asks for: seconds or a date (RFC 9110, 10.2.3); undefined for anything else. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
