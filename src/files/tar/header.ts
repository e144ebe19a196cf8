import { refuse } from '../file-error.ts';

export const BLOCK = 512;

/** One header block as it stands (pax(1), "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"). */
export interface HeaderBlock {
  /** One character; NUL counts as `0`. */
  readonly flag: string;
  readonly name: string;
  readonly linkname: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds. */
  readonly mtime: number;
  readonly devmajor: number;
  readonly devminor: number;
  readonly block: Buffer;
}

/** Undefined for a block of zeros. @throws FileError `file.refused` */
export function decodeHeader(block: Buffer): HeaderBlock | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  checkSum(block);
  const flag = block[156] === 0 ? '0' : String.fromCharCode(block[156]!);
  return {
    flag,
    name: prefixOf(block) + text(block, 0, 100),
    linkname: text(block, 157, 100),
    mode: number(block, 100, 8) & 0o7777,
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    size: positive(number(block, 124, 12)),
    mtime: number(block, 136, 12),
    // Other types leave the fields as they like.
    devmajor: '34'.includes(flag) ? number(block, 329, 8) : 0,
    devminor: '34'.includes(flag) ? number(block, 337, 8) : 0,
    block,
  };
}

/** POSIX adds bytes, some old writers signed characters. */
function checkSum(block: Buffer): void {
  const expected = number(block, 148, 8);
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 32 : block[i]!;
    unsigned += byte;
    signed += (byte << 24) >> 24;
  }
  if (expected !== unsigned && expected !== signed) throw refuse('this is no tar, or a damaged one');
}

/** The leading directories of ustar's and star's long names; GNU has other things there. */
function prefixOf(block: Buffer): string {
  if (text(block, 257, 6) !== 'ustar') return '';
  const star = block.toString('latin1', 508, 512) === 'tar\0';
  const prefix = text(block, 345, star ? 131 : 155);
  return prefix === '' ? '' : `${prefix}/`;
}

export function text(block: Buffer, offset: number, length: number): string {
  const end = block.indexOf(0, offset);
  return block.toString('latin1', offset, end < 0 ? offset + length : Math.min(end, offset + length));
}

/** A number in octal, or in base 256 when the first bit is set (GNU). @throws FileError `file.refused` */
export function number(block: Buffer, offset: number, length: number): number {
  const value = (block[offset]! & 0x80) === 0 ? octal(block, offset, length) : binary(block, offset, length);
  if (!Number.isSafeInteger(value)) throw refuse('a header holds a number that is none');
  return value;
}

function octal(block: Buffer, offset: number, length: number): number {
  const digits = text(block, offset, length).trim();
  if (digits === '') return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** Two's complement; the first bit is the mark and the second the sign. */
function binary(block: Buffer, offset: number, length: number): number {
  const negative = (block[offset]! & 0x40) !== 0;
  let value = BigInt(block[offset]! & 0x3f) - (negative ? 0x40n : 0n);
  for (let i = 1; i < length; i++) value = value * 256n + BigInt(block[offset + i]!);
  return Number(value);
}

/** @throws FileError `file.refused` for less than 0 */
export function positive(size: number): number {
  if (size >= 0) return size;
  throw refuse('a header holds a negative size');
}
