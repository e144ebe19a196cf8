import { call } from './libc.ts';

const AT_FDCWD = -100;
const O_CLOEXEC = 0o2000000;
const F_DUPFD_CLOEXEC = 1030;

/** Opens a file that need not be made; the descriptor is for {@link closeDescriptor}, for a child, or for a `net.Socket`. */
export function openDescriptor(path: string, flags: number): number {
  return call('openat', [AT_FDCWD, path, flags | O_CLOEXEC], `open ${path}`);
}

/**
 * Closes a descriptor that did not come from node:fs. In a Worker, Node keeps account of what node:fs opens, closes what is left of it
 * when the thread ends, and warns of what it does not know; so each is closed by the side that opened it.
 */
export function closeDescriptor(fd: number): void {
  call('close', [fd], `close descriptor ${fd}`);
}

/** A second descriptor of the same open file; for {@link closeDescriptor} too. */
export function duplicateDescriptor(fd: number): number {
  return call('fcntl', [fd, F_DUPFD_CLOEXEC, 0], `duplicate descriptor ${fd}`);
}
