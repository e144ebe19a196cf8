import { type Duration, parseDuration } from '../../support/duration.ts';
import { z } from '../../support/zod.ts';
import { attend } from './attend.ts';
import { checkWait, waitShape } from './check.ts';
import { NotReadyError, type WaitOptions, type WaitStrategy } from './strategy.ts';

/**
 * Ready when all of the strategies are.
 *
 * One deadline for all: `timeout`, default the longest of theirs; their own do not count.
 */
export function forAll(strategies: readonly WaitStrategy[], options: WaitOptions = {}): WaitStrategy {
  return {
    ...together(strategies, { name: 'forAll', word: 'and', options }),
    async ready(target, signal) {
      const missing = new Map<WaitStrategy, string>(strategies.map((strategy) => [strategy, '']));
      const attended = strategies.map(async (strategy) => {
        try {
          await attend(strategy, { target, signal });
          missing.delete(strategy);
        } catch (error) {
          if (!signal.aborted) throw error;
          missing.set(strategy, lastOf(error));
        }
      });
      await Promise.all(attended);
      if (missing.size > 0) throw new NotReadyError(`still missing: ${describe(missing)}`);
    },
  };
}

/**
 * Ready when the first of the strategies is. One that fails leaves it to the others; when all have failed, the
 * error of the first in the list is thrown.
 *
 * One deadline for all: `timeout`, default the longest of theirs; their own do not count.
 */
export function forAny(strategies: readonly WaitStrategy[], options: WaitOptions = {}): WaitStrategy {
  return {
    ...together(strategies, { name: 'forAny', word: 'or', options }),
    async ready(target, signal) {
      // So that the others give up when one is ready.
      const over = new AbortController();
      const either = AbortSignal.any([signal, over.signal]);
      const attended = strategies.map((strategy) => attend(strategy, { target, signal: either }));
      try {
        await Promise.any(attended);
      } catch (error) {
        const { errors } = error as AggregateError;
        if (!signal.aborted) throw errors[0];
        const missing = new Map(strategies.map((strategy, i) => [strategy, lastOf(errors[i])]));
        throw new NotReadyError(`none of: ${describe(missing)}`);
      } finally {
        over.abort();
      }
    },
  };
}

interface Kind {
  readonly name: string;
  readonly word: string;
  readonly options: WaitOptions;
}

function together(strategies: readonly WaitStrategy[], { name, word, options }: Kind) {
  checkWait(
    name,
    () => ({ ...waitShape, strategies: z.array(z.object({ ready: z.function() })).check(z.minLength(1)) }),
    {
      strategies,
      ...options,
    },
  );
  const longest = strategies
    .map(({ timeout }) => timeout)
    .reduce((a: Duration, b) => (parseDuration(a) >= parseDuration(b) ? a : b));
  return {
    what: strategies.map(({ what }) => what).join(` ${word} `),
    timeout: options.timeout ?? longest,
    // Each part is watched beside the container, where it has to be.
    outlivesContainer: true,
  };
}

function lastOf(error: unknown): string {
  return error instanceof NotReadyError ? error.message : '';
}

function describe(missing: ReadonlyMap<WaitStrategy, string>): string {
  return [...missing].map(([{ what }, last]) => (last === '' ? what : `${what} (${last})`)).join('; ');
}
