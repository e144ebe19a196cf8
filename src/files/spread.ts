import { closeSync, constants, openSync } from 'node:fs';
import { syscall } from '../kernel/ffi/libc.ts';
import { SystemError } from '../kernel/ffi/system-error.ts';
import { type Architecture, syscallNumber } from '../kernel/syscalls/numbers.ts';
import { debugLog } from '../support/debug.ts';

const debug = debugLog('spread');

// <linux/fs.h>; on x64 and arm64 alike.
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_TOPDIR_FL = 0x20000;

/**
 * Tells the file system that the directories in this one have nothing to do with each other (chattr(1), attribute `T`). It is a hint:
 * where there is no such attribute, nothing happens.
 *
 * ext4 then begins each of them in another group of blocks (find_group_orlov in fs/ext4/ialloc.c); by itself it has them in the group
 * of their parent. Where it has no journal, each file that is made in a group passes over all that was deleted there in the last minutes,
 * which after some tests are thousands and take a millisecond.
 */
export function spreadDirectories(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const ioctl = syscallNumber(process.arch as Architecture, 'ioctl')!;
    const flags = Buffer.alloc(8);
    syscall(ioctl, [fd, FS_IOC_GETFLAGS, flags], `read the attributes of ${path}`);
    const before = flags.readUInt32LE();
    if ((before & FS_TOPDIR_FL) !== 0) return;
    flags.writeUInt32LE((before | FS_TOPDIR_FL) >>> 0);
    syscall(ioctl, [fd, FS_IOC_SETFLAGS, flags], `have the directories in ${path} spread`);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    debug('%s', error);
  } finally {
    closeSync(fd);
  }
}
