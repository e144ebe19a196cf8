import type { ImageHealthcheck } from '../../images/store/image.ts';
import { type Duration, parseDuration } from '../../support/duration.ts';
import { MayflyError } from '../../support/error.ts';
import type { HealthCheckOption } from './health-check-option.ts';

/** A health check with nothing left open. Times are milliseconds. */
export interface HealthCheck {
  readonly argv: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

/** Docker's (moby daemon/health.go), but for startInterval, which there is 5 seconds. */
const DEFAULTS = { interval: 30_000, timeout: 30_000, startPeriod: 0, startInterval: 1000, retries: 3 };
const NANOSECONDS = 1e6;

/**
 * The check that a container gets: the option's words first, then the image's. Undefined when there is none or it is turned off.
 *
 * @throws MayflyError `option.invalid` for an option without a test on an image that has none; `image.bad-health-check`
 */
export function resolveHealthCheck(
  option: HealthCheckOption | false | undefined,
  image: ImageHealthcheck = {},
): HealthCheck | undefined {
  if (option === false) return undefined;
  const argv = option?.test === undefined ? argvOfImage(image) : argvOf(option.test);
  if (argv === undefined) {
    if (option === undefined) return undefined;
    throw new MayflyError('option.invalid', 'healthCheck names no test and the image has none', {
      hint: "give one: healthCheck: { test: 'pg_isready -q' }",
    });
  }
  // Zero means the default, in an image's configuration (image-spec, config.md).
  const time = (given: Duration | undefined, nanoseconds: number | undefined, otherwise: number) =>
    given === undefined ? (nanoseconds ?? 0) / NANOSECONDS || otherwise : parseDuration(given);
  return {
    argv,
    interval: time(option?.interval, image.Interval, DEFAULTS.interval),
    timeout: time(option?.timeout, image.Timeout, DEFAULTS.timeout),
    startPeriod: time(option?.startPeriod, image.StartPeriod, DEFAULTS.startPeriod),
    startInterval: time(option?.startInterval, image.StartInterval, DEFAULTS.startInterval),
    retries: option?.retries ?? (image.Retries || DEFAULTS.retries),
  };
}

function argvOf(test: string | readonly string[]): string[] {
  if (typeof test === 'string') return ['/bin/sh', '-c', test];
  return test[0] === 'CMD' ? test.slice(1) : ['/bin/sh', '-c', test[1]!];
}

/** An empty list means that the image has no check of its own. */
function argvOfImage({ Test: test = [] }: ImageHealthcheck): string[] | undefined {
  const [kind, ...words] = test;
  if (kind === undefined || kind === 'NONE') return undefined;
  if ((kind === 'CMD' && words.length > 0) || (kind === 'CMD-SHELL' && words.length === 1))
    return argvOf(test);
  throw new MayflyError('image.bad-health-check', `not a health check: ${JSON.stringify(test)}`, {
    hint: 'healthCheck: false turns it off',
  });
}
