import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { exchange } from './exchange.ts';

/** Puts a file in the place of what is there, so that a reader sees all of it or what was there before. Mode 0600. */
export function writeJson(path: string, value: unknown): void {
  const fresh = `${path}.new`;
  writeFileSync(fresh, JSON.stringify(value), { mode: 0o600 });
  // A file that is renamed onto another one is written to the disk at once by ext4 (ext4(5), auto_da_alloc), which takes a millisecond.
  if (exchanged(fresh, path)) unlinkSync(fresh);
  else renameSync(fresh, path);
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
