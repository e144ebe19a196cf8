import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { syscall } from '../ffi/libc.ts';
import { isErrno } from '../ffi/system-error.ts';
import { type Architecture, syscallNumber } from '../syscalls/numbers.ts';
import { O, RESOLVE } from './flags.ts';

/** Nothing that we read from an image is larger; what claims to be is an attack (CVE-2026-47262). */
const MAX_SIZE = 10 << 20;
const O_NONBLOCK = 0o4000;

/**
 * Reads a small regular file inside a tree that an image controls, with openat2 so that no link leads out of it.
 *
 * `root` is a directory on the host, `/proc/<pid>/root` included. Returns undefined when there is no such file, or it
 * is not a regular one, or larger than 10 MiB.
 */
export function readInRoot(root: string, path: string): string | undefined {
  const directory = openSync(root, O.O_PATH | O.O_DIRECTORY | O.O_CLOEXEC);
  try {
    const fd = openBeneath(directory, path);
    if (fd === undefined) return undefined;
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() || stat.size > MAX_SIZE) return undefined;
      return stat.size > 0 ? readFileSync(fd, 'utf8') : readOnce(fd);
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(directory);
  }
}

/** Files of /proc say that they are empty. */
function readOnce(fd: number): string {
  const buffer = Buffer.alloc(65536);
  return buffer.toString('utf8', 0, readSync(fd, buffer));
}

function openBeneath(directory: number, path: string): number | undefined {
  const how = Buffer.alloc(24);
  // O_NONBLOCK, so that a FIFO planted as /etc/passwd does not hold us.
  how.writeBigUInt64LE(BigInt(O.O_RDONLY | O.O_CLOEXEC | O_NONBLOCK), 0);
  how.writeBigUInt64LE(BigInt(RESOLVE.RESOLVE_IN_ROOT | RESOLVE.RESOLVE_NO_MAGICLINKS), 16);
  const number = syscallNumber(process.arch as Architecture, 'openat2')!;
  try {
    return syscall(number, [directory, path, how, how.length], `open ${path} in a rootfs`);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EACCES')) return undefined;
    throw error;
  }
}
