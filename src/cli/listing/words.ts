/** The words of docker's tables (github.com/docker/go-units). */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A span of time, given in milliseconds, for people: `About a minute`, `3 hours`. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < MINUTE) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / MINUTE);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / HOUR);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(seconds / DAY);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  return days < 730 ? `${Math.floor(days / 30)} months` : `${Math.floor(days / 365)} years`;
}

export function ago(moment: Date, now = new Date()): string {
  return `${humanDuration(Math.max(0, now.getTime() - moment.getTime()))} ago`;
}

/** Four digits in units of 1000: `87.3MB`. */
export function decimalSize(bytes: number): string {
  return size(bytes, { base: 1000, units: ['B', 'kB', 'MB', 'GB', 'TB'], digits: 3 });
}

/** Four digits in units of 1024: `87.31MiB`. */
export function binarySize(bytes: number): string {
  return size(bytes, { base: 1024, units: ['B', 'KiB', 'MiB', 'GiB', 'TiB'], digits: 4 });
}

function size(
  bytes: number,
  { base, units, digits }: { base: number; units: readonly string[]; digits: number },
): string {
  let [value, unit] = [bytes, 0];
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`;
}

/** Cut to `length` characters, the last of which is then an ellipsis. */
export function ellipsis(text: string, length: number): string {
  const letters = [...text];
  return letters.length <= length ? text : `${letters.slice(0, length - 1).join('')}…`;
}

/** The first twelve digits, without the algorithm. */
export const shortId = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);

/** `2026-11-24 10:00:00 +0000 UTC`, as Go prints a time. */
export function goTime(moment: Date): string {
  return `${moment.toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}
