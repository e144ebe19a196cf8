import { syscall } from '../ffi/libc.ts';
import { isErrno } from '../ffi/system-error.ts';
import { type Architecture, syscallNumber } from '../syscalls/numbers.ts';
import { O, RESOLVE } from './flags.ts';

const OPEN_HOW_SIZE = 24;
/** More than a busy machine takes. */
const MOST_ATTEMPTS = 128;

/**
 * openat2(2) with RESOLVE_IN_ROOT in this process: no link in the tree leads out of it. The caller closes the descriptor.
 *
 * Undefined when there is no such path or it may not be opened.
 */
export function openInRootNow(
  root: number,
  { path, flags }: { path: string; flags: number },
): number | undefined {
  const how = Buffer.alloc(OPEN_HOW_SIZE);
  how.writeBigUInt64LE(BigInt(flags | O.O_CLOEXEC), 0);
  how.writeBigUInt64LE(BigInt(RESOLVE.RESOLVE_IN_ROOT | RESOLVE.RESOLVE_NO_MAGICLINKS), 16);
  const number = syscallNumber(process.arch as Architecture, 'openat2')!;
  for (let attempt = 1; ; attempt++) {
    try {
      return syscall(number, [root, path, how, how.length], `open ${path} in a rootfs`);
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EACCES')) return undefined;
      // `..` while anybody on the machine renames or mounts something (openat2(2), EAGAIN): nothing is wrong with the path.
      if (!isErrno(error, 'EAGAIN') || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}
