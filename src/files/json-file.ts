import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { syscall } from '../kernel/ffi/libc.ts';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { type Architecture, syscallNumber } from '../kernel/syscalls/numbers.ts';

const AT_FDCWD = -100;
/** rename(2): both stay, each under the other's name. */
const RENAME_EXCHANGE = 2;

/** Puts a file in the place of what is there, so that a reader sees all of it or what was there before. Mode 0600. */
export function writeJson(path: string, value: unknown): void {
  const fresh = `${path}.new`;
  writeFileSync(fresh, JSON.stringify(value), { mode: 0o600 });
  // A file that is renamed onto another one is written to the disk at once by ext4 (ext4(5), auto_da_alloc), which takes a millisecond.
  if (exchange(fresh, path)) unlinkSync(fresh);
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
function exchange(path: string, other: string): boolean {
  const number = syscallNumber(process.arch as Architecture, 'renameat2')!;
  const what = `exchange ${path} for ${other}`;
  try {
    syscall(number, [AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE], what);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EINVAL', 'ENOSYS')) return false;
    throw error;
  }
}
