import { inspect } from 'node:util';
import { MayflyError } from './error.ts';

/** Milliseconds, or a number with a unit: `'500ms'`, `'30s'`, `'2m'`, `'1h'`. */
export type Duration = number | string;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** What a timer can hold, some 24 days; setTimeout takes anything longer for 1 ms. */
const MOST = 2 ** 31 - 1;

/**
 * A duration in milliseconds, at most 24 days.
 *
 * @throws MayflyError `option.invalid` for anything negative, too long, or in no known unit.
 */
export function parseDuration(duration: Duration): number {
  const match = typeof duration === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(duration.trim()) : null;
  const value = match === null ? duration : Number(match[1]) * UNITS[match[2]!]!;
  if (typeof value === 'number' && value >= 0 && value <= MOST) return value;
  throw new MayflyError('option.invalid', `not a duration: ${inspect(duration)}`, {
    hint: "write milliseconds, or a time such as '500ms', '30s', '2m', '1h'; at most 24 days",
  });
}
