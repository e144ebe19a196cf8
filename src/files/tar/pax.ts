import { refuse } from '../file-error.ts';

/** Values as bytes: attributes such as security.capability are no text. Keys of GNU.sparse may repeat, so these are lists. */
export type PaxRecords = ReadonlyMap<string, readonly Buffer[]>;

/**
 * Reads the records `LENGTH key=value\n` of an extended header (pax(1)).
 *
 * @throws FileError `file.refused`
 */
export function decodePax(body: Buffer): PaxRecords {
  const records = new Map<string, Buffer[]>();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const digits = body.toString('latin1', at, space);
    const length = /^[1-9]\d{0,9}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = body.indexOf(0x3d, space);
    if (space < 0 || end > body.length || equals < 0 || equals >= end || body[end - 1] !== 0x0a)
      throw refuse('an extended header is malformed');
    const key = body.toString('utf8', space + 1, equals);
    const value = Buffer.from(body.subarray(equals + 1, end - 1));
    if (key.startsWith('GNU.sparse.')) records.set(key, [...(records.get(key) ?? []), value]);
    else records.set(key, [value]);
    at = end;
  }
  return records;
}

/** `LENGTH key=value\n`, where the length counts itself. */
export function encodePaxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.byteLength(key) + value.length + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length > length) length += 1;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
}

/** The last value of a key as text; undefined when there is none, or it is empty, which takes an earlier one back. */
export function paxText(records: PaxRecords, key: string): string | undefined {
  const value = records.get(key)?.at(-1)?.toString('latin1');
  if (value?.includes('\0')) throw refuse(`the record ${key} holds a NUL character`);
  return value || undefined;
}

/** @throws FileError `file.refused` for what is no whole number from 0 on */
export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const value = paxText(records, key);
  return value === undefined ? undefined : wholeNumber(value, key);
}

export function wholeNumber(value: string, what: string): number {
  const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw refuse(`${what} is no number: ${JSON.stringify(value.slice(0, 40))}`);
}

/** `1700000000.123456789` as nanoseconds; digits beyond the ninth are dropped. */
export function paxTime(records: PaxRecords, key: string): bigint | undefined {
  const value = paxText(records, key);
  if (value === undefined) return undefined;
  const [, sign, seconds, fraction = ''] = /^(-?)(\d{1,12})(?:\.(\d*))?$/.exec(value) ?? [];
  if (seconds === undefined) throw refuse(`the record ${key} is no time`);
  const nanoseconds = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -nanoseconds : nanoseconds;
}
