import { inspect } from 'node:util';
import { MayflyError } from './error.ts';

/** Bytes, or a number with a unit of 1024: `'64k'`, `'512m'`, `'1.5g'`. */
export type ByteSize = number | string;

const UNITS = ['b', 'k', 'm', 'g', 't'] as const;

/**
 * A size in bytes, rounded down. Units are those of Docker (github.com/docker/go-units): powers of 1024.
 *
 * @throws MayflyError `option.invalid` for anything negative, not finite, or in no known unit.
 */
export function parseByteSize(size: ByteSize): number {
  const match = typeof size === 'string' ? /^(\d+(?:\.\d+)?)\s*(?:([kmgt])i?)?b?$/i.exec(size.trim()) : null;
  const unit = (match?.[2] || 'b').toLowerCase() as (typeof UNITS)[number];
  const value = match === null ? size : Math.floor(Number(match[1]) * 1024 ** UNITS.indexOf(unit));
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new MayflyError('option.invalid', `not a size: ${inspect(size)}`, {
    hint: "write bytes, or a size such as '64k', '512m', '1.5g'",
  });
}

/** A size for people: `1.5 GiB`. */
export function formatByteSize(bytes: number): string {
  const exponent = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** exponent;
  const digits = exponent === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][exponent]}`;
}
