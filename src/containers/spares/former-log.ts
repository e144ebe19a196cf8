import {
  appendFileSync,
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { formerLogOf } from '../logs.ts';

const NUL = 0;
const LINE_FEED = 0x0a;

/**
 * Adds the log of a container to what there is of its logs before earlier hand-overs, and puts all of it beside the log of the spare
 * that takes over: `from` and `to` are the paths of the two. Of more than `limit` bytes the older half goes; 0: no limit.
 *
 * The container's own are left as they are, but for lines that are there twice when we are killed in the middle of this.
 */
export function passOnLog({ from, to, limit }: { from: string; to: string; limit: number }): void {
  const former = formerLogOf(to);
  try {
    linkSync(formerLogOf(from), former);
  } catch (error) {
    // The first hand-over.
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  appendFileSync(former, lastLines(from, limit || Number.POSITIVE_INFINITY), { mode: 0o600 });
  if (limit === 0 || statSync(former).size <= limit) return;
  writeFileSync(`${former}.new`, lastLines(former, limit / 2), { mode: 0o600 });
  renameSync(`${former}.new`, former);
}

/** The whole lines among the last so many bytes of a log; its oldest part may be a hole, which reads as zeros. */
function lastLines(path: string, most: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, Math.ceil(most)));
    const read = bytes.subarray(0, readSync(file, bytes, 0, bytes.length, size - bytes.length));
    const isCut = read.length < size || read[0] === NUL;
    return isCut ? read.subarray(read.indexOf(LINE_FEED) + 1) : read;
  } finally {
    closeSync(file);
  }
}
