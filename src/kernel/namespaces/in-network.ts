import { closeDescriptor, openDescriptor } from '../ffi/descriptor.ts';
import { syscall } from '../ffi/libc.ts';
import { CLONE, O } from '../mounts/flags.ts';
import { type Architecture, syscallNumber } from '../syscalls/numbers.ts';

/**
 * Does something in another network namespace: a socket that is opened there belongs to it for good, and /proc/sys/net is its own.
 * `work` must be done when it returns. A namespace is entered by one thread (setns(2)), so no other work of the process notices.
 *
 * @throws SystemError EPERM without CAP_SYS_ADMIN in the user namespace that the network namespace belongs to
 */
export function inNetworkNamespace<T>(fd: number, work: () => T): T {
  const own = openDescriptor('/proc/thread-self/ns/net', O.O_RDONLY);
  try {
    enter(fd, 'enter a network namespace');
    try {
      return work();
    } finally {
      enter(own, 'return to the own network namespace');
    }
  } finally {
    closeDescriptor(own);
  }
}

function enter(fd: number, what: string): void {
  syscall(syscallNumber(process.arch as Architecture, 'setns')!, [fd, CLONE.CLONE_NEWNET], what);
}
