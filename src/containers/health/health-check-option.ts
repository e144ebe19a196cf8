import { type Duration, parseDuration } from '../../support/duration.ts';
import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';
import { duration, text } from '../option-schemas.ts';

/**
 * How to tell whether the service in a container is well. Whatever is left out is the image's HEALTHCHECK, then the default.
 *
 * A probe that exits with code 0 makes the container `healthy`; `retries` failures in a row make it `unhealthy`.
 */
export interface HealthCheckOption {
  /**
   * A string for the image's `/bin/sh -c`, or a list as Docker has it: `['CMD', 'pg_isready', '-q']`, `['CMD-SHELL', 'curl -f …']`.
   * Runs as the container's user.
   */
  readonly test?: string | readonly string[];
  /** Between two probes of a container that has been healthy once. Default: 30 seconds. */
  readonly interval?: Duration;
  /** After this a probe is killed and has failed. Default: 30 seconds. */
  readonly timeout?: Duration;
  /** Failures in this time after the start do not count. Default: none. */
  readonly startPeriod?: Duration;
  /**
   * The longest pause between two probes until the container is healthy for the first time. The first probe comes at once and the
   * pauses grow from 10 ms, yet failures count once an interval only. Default: 1 second.
   */
  readonly startInterval?: Duration;
  /** Failures in a row that make it unhealthy. Default: 3. */
  readonly retries?: number;
}

const TESTS = /^(CMD|CMD-SHELL)$/;

export const healthCheckOption = lazy(() => {
  const span = duration.check(z.refine((value) => parseDuration(value) >= 1, 'must be at least 1 ms'));
  return z.strictObject({
    test: z.optional(
      z.union([
        text.check(z.minLength(1)),
        z.array(text).check(
          z.minLength(2),
          z.refine(([kind]) => TESTS.test(kind!), 'must begin with "CMD" or "CMD-SHELL"'),
          z.refine(([kind, ...rest]) => kind === 'CMD' || rest.length === 1, 'CMD-SHELL takes one string'),
        ),
      ]),
    ),
    interval: z.optional(span),
    timeout: z.optional(span),
    startPeriod: z.optional(duration),
    startInterval: z.optional(span),
    retries: z.optional(z.int().check(z.positive())),
  } satisfies { [K in keyof Required<HealthCheckOption>]: z.ZodMiniType });
});
