import { existsSync, fstatSync } from 'node:fs';
import { closeDescriptor } from '../ffi/descriptor.ts';
import { call, syscall } from '../ffi/libc.ts';
import { isErrno } from '../ffi/system-error.ts';
import { type Architecture, syscallNumber } from '../syscalls/numbers.ts';

const F_DUPFD_CLOEXEC = 1030;

/**
 * A descriptor that stays open when the thread that made it ends: Node closes what the handles of a Worker own, but knows nothing of
 * this one. The thread closes it when it is no longer needed; when the thread is gone, any other thread of the process.
 */
export interface HeldDescriptor {
  readonly fd: number;
  /** Of what it is open on, because a number is given again. */
  readonly inode: number;
  /** Id of the thread, as in /proc/self/task. */
  readonly thread: number;
}

export function holdDescriptor(fd: number): HeldDescriptor {
  const held = call('fcntl', [fd, F_DUPFD_CLOEXEC, 0], `duplicate fd ${fd}`);
  const gettid = syscallNumber(process.arch as Architecture, 'gettid')!;
  return { fd: held, inode: fstatSync(held).ino, thread: syscall(gettid, [], 'find the id of this thread') };
}

/** Closes a descriptor whose thread has ended. True when there was one. Only one thread may do so at a time. */
export function closeAbandoned({ fd, inode, thread }: HeldDescriptor): boolean {
  if (existsSync(`/proc/self/task/${thread}`)) return false;
  try {
    if (fstatSync(fd).ino !== inode) return false;
  } catch (error) {
    if (isErrno(error, 'EBADF')) return false;
    throw error;
  }
  closeDescriptor(fd);
  return true;
}
