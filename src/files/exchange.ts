import { syscall } from '../kernel/ffi/libc.ts';
import { type Architecture, syscallNumber } from '../kernel/syscalls/numbers.ts';

const AT_FDCWD = -100;
/** rename(2): both stay, each under the other's name. */
const RENAME_EXCHANGE = 2;

/**
 * Gives two files or directories each the other's name, in one step.
 *
 * @throws SystemError ENOENT when one is not there; EINVAL, ENOSYS where the file system or the kernel cannot
 */
export function exchange(path: string, other: string): void {
  const number = syscallNumber(process.arch as Architecture, 'renameat2')!;
  const what = `exchange ${path} for ${other}`;
  syscall(number, [AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE], what);
}
