import { closeSync, fstatSync, openSync, readlinkSync } from 'node:fs';
import { closeDescriptor } from '../kernel/ffi/descriptor.ts';
import { closeMeanwhile, syscall } from '../kernel/ffi/libc.ts';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { FDS } from '../kernel/program/abi.ts';
import { type Architecture, syscallNumber } from '../kernel/syscalls/numbers.ts';

/** What keeps a network alive, held by this process as every shim on the network holds it. */
export interface NamespaceHandle {
  /** The network's namespace. */
  readonly fd: number;
  readonly inode: number;
  /** The socket that owns the NAT table; undefined when there is none to be had. */
  readonly firewall: number | undefined;
  /**
   * Twice is no error. `meanwhile`: on another thread, because the kernel takes milliseconds to end the NAT table when nobody else holds
   * it; not for a process that is about to exit.
   */
  close(how?: { meanwhile: boolean }): void;
}

/** Takes a share in what a shim holds; undefined when the shim is gone or is on another network than `inode`. */
export function openFromShim(pid: number, inode?: number): NamespaceHandle | undefined {
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/fd/${FDS.network}`, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'ENXIO')) return undefined;
    throw error;
  }
  const { ino: found } = fstatSync(fd);
  // What is not a namespace is the /dev/null of a shim that is on no network.
  const isNamespace = readlinkSync(`/proc/self/fd/${fd}`).startsWith('net:');
  if (!isNamespace || (inode !== undefined && found !== inode)) {
    closeSync(fd);
    return undefined;
  }
  const firewall = copyDescriptor(pid, FDS.firewall);
  let open = true;
  const close = ({ meanwhile } = { meanwhile: false }) => {
    if (!open) return;
    open = false;
    closeSync(fd);
    if (firewall !== undefined) (meanwhile ? closeMeanwhile : closeDescriptor)(firewall);
  };
  return { fd, inode: found, firewall, close };
}

/** A socket cannot be opened through /proc; pidfd_getfd(2) copies it (Linux 5.6). */
export function copyDescriptor(pid: number, fd: number): number | undefined {
  const number = (name: string) => syscallNumber(process.arch as Architecture, name)!;
  try {
    const pidfd = syscall(number('pidfd_open'), [pid, 0], `open process ${pid}`);
    try {
      return syscall(number('pidfd_getfd'), [pidfd, fd, 0], `copy descriptor ${fd} of process ${pid}`);
    } finally {
      closeDescriptor(pidfd);
    }
  } catch (error) {
    if (isErrno(error, 'ESRCH', 'EBADF')) return undefined;
    throw error;
  }
}
