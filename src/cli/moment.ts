import { parseDuration } from '../support/duration.ts';
import { UsageError } from './usage-error.ts';

/**
 * A moment as docker takes it: seconds since 1970, a date and time (RFC 3339), or a span of time before now, `10m`.
 *
 * @throws UsageError
 */
export function parseMoment(text: string, now = Date.now()): Date {
  if (/^\d+(\.\d+)?$/.test(text)) return new Date(Number(text) * 1000);
  if (/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) {
    const parts = text.match(/\d+(\.\d+)?(ms|s|m|h)/g)!;
    return new Date(now - parts.reduce((sum, part) => sum + parseDuration(part), 0));
  }
  const moment = new Date(text);
  if (!Number.isNaN(moment.getTime())) return moment;
  throw new UsageError(`not a moment: ${text}`, 'write 10m, 2026-11-24T10:00:00Z or seconds since 1970');
}
