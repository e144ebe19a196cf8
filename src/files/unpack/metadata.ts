import { closeSync, constants, fchmodSync, fchownSync, lchownSync, openSync } from 'node:fs';
import { call } from '../../kernel/ffi/libc.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { refuse } from '../file-error.ts';
import { pathArgument } from '../path-argument.ts';
import { nameBytes, shown, type TarEntry } from '../tar/entry.ts';

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const UTIME_NOW = 0x3fffffffn;
const SECOND = 1_000_000_000n;
/** Others mean something to the kernel that an image has no say in: trusted.overlay.* above all. */
const KEPT_XATTRS = /^(security\.capability$|user\.(?!overlay\.))/;

/** Whether an attribute travels between trees. */
export function isKeptXattr(name: string): boolean {
  return KEPT_XATTRS.test(name);
}

/*
 * Owner before mode, because a change of owner clears setuid; attributes after both, for the same reason; time last.
 * Through descriptors where there are any: chmod(2) follows links.
 */

export function setFile(fd: number, path: string, entry: TarEntry): void {
  fchownSync(fd, entry.uid, entry.gid);
  fchmodSync(fd, entry.mode);
  setXattrs(path, entry);
  setTime(path, entry.mtime);
}

/** All but the time, which is for later. */
export function setDirectory(path: string, entry: Pick<TarEntry, 'uid' | 'gid' | 'mode' | 'xattrs'>): void {
  const fd = openSync(nameBytes(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    fchownSync(fd, entry.uid, entry.gid);
    fchmodSync(fd, entry.mode);
  } finally {
    closeSync(fd);
  }
  setXattrs(path, entry);
}

/** Links, devices and pipes are created with their mode. */
export function setOther(path: string, entry: TarEntry): void {
  lchownSync(nameBytes(path), entry.uid, entry.gid);
  setXattrs(path, entry);
  setTime(path, entry.mtime);
}

/** To the nanosecond, which Node's functions do not do. */
export function setTime(path: string, time: bigint): void {
  const seconds = time / SECOND - (time % SECOND < 0n ? 1n : 0n);
  const times = Buffer.alloc(32);
  // The time of access, which no tar of ours has.
  times.writeBigInt64LE(UTIME_NOW, 8);
  times.writeBigInt64LE(BigInt.asIntN(64, seconds), 16);
  times.writeBigInt64LE(time - seconds * SECOND, 24);
  call(
    'utimensat',
    [AT_FDCWD, pathArgument(path), times, AT_SYMLINK_NOFOLLOW],
    `set the time of ${shown(path)}`,
  );
}

function setXattrs(path: string, { xattrs }: Pick<TarEntry, 'xattrs'>): void {
  for (const [name, value] of xattrs) {
    if (!isKeptXattr(name)) continue;
    const what = `set ${name} of ${shown(path)}`;
    try {
      // File systems without attributes do without, as they do in Docker.
      call('lsetxattr', [pathArgument(path), name, value, value.length, 0], what, ['ENOTSUP']);
    } catch (error) {
      // ENOSPC means that it does not fit the inode, however empty the disk is (setxattr(2)).
      if (isErrno(error, 'ENOSPC', 'E2BIG', 'ERANGE', 'EINVAL'))
        throw refuse(`${what}: it is too large or malformed`, error);
      throw error;
    }
  }
}
