import { readFileSync } from 'node:fs';
import { isErrno } from '../../kernel/ffi/system-error.ts';

/** Moments of a start that only the processes of the program know: two of init, three of the shim, in the order of the file. */
export const MARKS = ['begun', 'cloning', 'connected', 'born', 'mounted'] as const;

export type Mark = (typeof MARKS)[number];

/** struct timespec on 64-bit machines: seconds and nanoseconds, 8 bytes each. */
export const MARK_SIZE = 16;

/** Milliseconds on CLOCK_MONOTONIC, as the process that was there saw it; undefined when not all has been written. */
export function readMarks(path: string): Readonly<Record<Mark, number>> | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  if (bytes.length < MARKS.length * MARK_SIZE) return undefined;
  const at = (i: number) =>
    Number(bytes.readBigInt64LE(i * MARK_SIZE)) * 1000 +
    Number(bytes.readBigInt64LE(i * MARK_SIZE + 8)) / 1e6;
  return Object.fromEntries(MARKS.map((mark, i) => [mark, at(i)])) as Record<Mark, number>;
}
