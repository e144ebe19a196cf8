import { closeDescriptor } from '../ffi/descriptor.ts';
import { syscall } from '../ffi/libc.ts';
import { isErrno } from '../ffi/system-error.ts';
import { type Architecture, syscallNumber } from '../syscalls/numbers.ts';
import { identifyProcess } from './process-identity.ts';

const number = (name: string) => syscallNumber(process.arch as Architecture, name)!;

/** A descriptor that stands for a process, whatever becomes of its pid (pidfd_open(2), Linux 5.3). The caller closes it. */
export function openPidfd(pid: number): number {
  return syscall(number('pidfd_open'), [pid, 0], `open process ${pid}`);
}

/** As pidfd_send_signal(2). Nothing happens when the process has ended. */
export function signalPidfd(pidfd: number, signal: number): void {
  try {
    syscall(number('pidfd_send_signal'), [pidfd, signal, 0, 0], `send signal ${signal}`);
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

/** A pidfd of a child of `parent`, never of a stranger that came to its pid later; undefined when it is gone. The caller closes it. */
export function openChild(parent: number, pid: number): number | undefined {
  let pidfd: number;
  try {
    pidfd = openPidfd(pid);
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return undefined;
    throw error;
  }
  if (identifyProcess(pid)?.parent === parent) return pidfd;
  closeDescriptor(pidfd);
  return undefined;
}

/** Runs `use` with a pidfd of a child of `parent`; undefined when it is gone. */
export function withChildOf<T>(parent: number, pid: number, use: (pidfd: number) => T): T | undefined {
  const pidfd = openChild(parent, pid);
  if (pidfd === undefined) return undefined;
  try {
    return use(pidfd);
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return undefined;
    throw error;
  } finally {
    closeDescriptor(pidfd);
  }
}
