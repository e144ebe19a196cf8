import { readFileSync, renameSync, unlinkSync } from 'node:fs';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { exchange } from './exchange.ts';
import { overwrite } from './overwrite.ts';

/** Puts a file in the place of what is there, so that a reader sees all of it or what was there before. Mode 0600. */
export function writeJson(path: string, value: unknown): void {
  const fresh = freshPath(path);
  overwrite(fresh, JSON.stringify(value));
  // A file that is renamed onto another one is written to the disk at once by ext4 (ext4(5), auto_da_alloc), which takes a millisecond.
  if (exchanged(fresh, path)) unlinkSync(fresh);
  else renameSync(fresh, path);
}

/**
 * Makes the file that the next `writeJson` fills, for one that shall be quick: ext4 without a journal looks at every inode of the last
 * minutes that has been deleted when it makes one (fs/ext4/ialloc.c, recently_deleted), which takes up to a millisecond.
 */
export function expectJson(path: string): void {
  overwrite(freshPath(path), '');
}

/** What the file holds; undefined when there is none, or nothing in it, as after a loss of power. @throws SyntaxError when it is no JSON */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  return text === '' ? undefined : JSON.parse(text);
}

const freshPath = (path: string) => `${path}.new`;

/** False when there is nothing to exchange with, or the file system cannot. */
function exchanged(path: string, other: string): boolean {
  try {
    exchange(path, other);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EINVAL', 'ENOSYS')) return false;
    throw error;
  }
}
