import { readlinkSync } from 'node:fs';
import { closeDescriptor, openDescriptor } from '../kernel/ffi/descriptor.ts';
import { isErrno, SystemError } from '../kernel/ffi/system-error.ts';
import { O } from '../kernel/mounts/flags.ts';
import { inNetworkNamespace } from '../kernel/namespaces/in-network.ts';
import { type Exchange, exchange, exchangeOver, type NETLINK } from '../kernel/netlink/socket.ts';
import { FDS } from '../kernel/program/abi.ts';
import { copyDescriptor } from './namespace-handle.ts';

/** A way to change what is in the network namespace of a running container. */
export interface NamespaceAccess extends Disposable {
  /** `work` exchanges messages there, and has to be done when it returns. */
  within<T>(work: (exchange: Exchange) => T): T;
  /** Whether /proc/sys/net is the namespace's in `work`; otherwise it has been prepared for changes when it was made. */
  readonly enters: boolean;
}

/** For root. `pid` is in the namespace. @throws SystemError */
export function enterNamespace({ pid }: { pid: number }): NamespaceAccess {
  const netns = openDescriptor(`/proc/${pid}/ns/net`, O.O_RDONLY | O.O_CLOEXEC);
  return {
    enters: true,
    within: (work) => inNetworkNamespace(netns, () => work(exchange)),
    [Symbol.dispose]: () => closeDescriptor(netns),
  };
}

/**
 * For an ordinary user, who may not enter it (setns(2) asks for rights in his own user namespace) but owns what it belongs to: what
 * the shim has opened in it he may use (netlink_ns_capable of the kernel).
 *
 * What is done there fails with ENOTSOCK when the shim has nothing open there.
 */
export function useSocketsOf({ shimPid }: { shimPid: number }): NamespaceAccess {
  // At once: who loses his connections may end by that, and the shim with him.
  const sockets: Partial<Record<keyof typeof NETLINK, number | undefined>> = {
    NETLINK_ROUTE: copySocket(shimPid, FDS.interfaces),
    NETLINK_SOCK_DIAG: copySocket(shimPid, FDS.connections),
  };
  return {
    enters: false,
    within: (work) =>
      work((packet, { family, what }) => {
        const socket = sockets[family];
        if (socket === undefined) throw new SystemError('netlink', ENOTSOCK, what);
        return exchangeOver(socket, packet, what);
      }),
    [Symbol.dispose]: () => {
      for (const socket of Object.values(sockets)) if (socket !== undefined) closeDescriptor(socket);
    },
  };
}

const ENOTSOCK = 88;

/** Undefined when the shim has none by that number, or is ending. */
export function copySocket(pid: number, fd: number): number | undefined {
  try {
    const isSocket = readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
    return isSocket ? copyDescriptor(pid, fd) : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}
