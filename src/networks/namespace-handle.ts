import { fstatSync, readlinkSync } from 'node:fs';
import { closeDescriptor, openDescriptor } from '../kernel/ffi/descriptor.ts';
import { syscall } from '../kernel/ffi/libc.ts';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { O } from '../kernel/mounts/flags.ts';
import { type Exchange, exchangeOver } from '../kernel/netlink/socket.ts';
import { closeElsewhere } from '../kernel/processes/close-elsewhere.ts';
import { FDS } from '../kernel/program/abi.ts';
import type { ShimBinary } from '../kernel/program/shim-binary.ts';
import { type Architecture, syscallNumber } from '../kernel/syscalls/numbers.ts';

/** What keeps a network alive, held by this process as every shim on the network holds it. */
export interface NamespaceHandle {
  /** The network's namespace. */
  readonly fd: number;
  readonly inode: number;
  /** The socket that owns the NAT table; undefined when there is none to be had. */
  readonly firewall: number | undefined;
  /** Requests of nftables on that socket; by who has the network to himself. */
  readonly exchange: Exchange | undefined;
  /** Of one that somebody else holds, too. Twice is no error. */
  close(): void;
  /** Of one that nobody else may hold: its end takes the kernel milliseconds, in which this process goes on, or ends. */
  end(binary: ShimBinary): void;
}

/** Takes a share in what a shim holds; undefined when the shim is gone or is on another network than `inode`. */
export function openFromShim(pid: number, inode?: number): NamespaceHandle | undefined {
  let fd: number;
  try {
    fd = openDescriptor(`/proc/${pid}/fd/${FDS.network}`, O.O_RDONLY | O.O_CLOEXEC);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'ENXIO')) return undefined;
    throw error;
  }
  const { ino: found } = fstatSync(fd);
  // What is not a namespace is the /dev/null of a shim that is on no network.
  const isNamespace = readlinkSync(`/proc/self/fd/${fd}`).startsWith('net:');
  if (!isNamespace || (inode !== undefined && found !== inode)) {
    closeDescriptor(fd);
    return undefined;
  }
  const firewall = copyDescriptor(pid, FDS.firewall);
  let open = true;
  const take = (): number[] => {
    const held = open ? [fd, ...(firewall === undefined ? [] : [firewall])] : [];
    open = false;
    return held;
  };
  return {
    fd,
    inode: found,
    firewall,
    exchange: firewall === undefined ? undefined : (packet, { what }) => exchangeOver(firewall, packet, what),
    close: () => take().forEach(closeDescriptor),
    end(binary) {
      const held = take();
      // Without a table there is nothing to wait for.
      if (firewall === undefined) held.forEach(closeDescriptor);
      else if (held.length > 0) closeElsewhere(held, binary);
    },
  };
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
