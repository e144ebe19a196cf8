import { readFileSync } from 'node:fs';
import { closeDescriptor } from '../kernel/ffi/descriptor.ts';
import { call } from '../kernel/ffi/libc.ts';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { destroyTcpSockets, listTcpSockets, type TcpSocket } from '../kernel/netlink/sock-diag.ts';
import { openSockets } from '../kernel/processes/open-sockets.ts';
import type { NamespaceAccess } from './namespace-access.ts';

// <bits/socket.h>, <asm-generic/socket.h>
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;

/** Processes that stand still. */
export interface StillProcesses {
  /** All that have anything in the network namespace. */
  readonly pids: readonly number[];
  /** One of them, or another one in the namespace. */
  readonly pid: number;
}

/**
 * Takes from processes that stand still what they have in their network namespace, so that others find it there as if these had ended:
 * whoever is connected to them gets a reset, and their ports are free for who sets SO_REUSEADDR, as each server does that is to be
 * started again while connections to it linger.
 *
 * Result: false when they have, or may have, something else that could be in the way, such as a UDP port, a name of an abstract UNIX
 * socket, or a port that they have to themselves: that is free only when they have ended.
 *
 * @throws SystemError where the kernel cannot; then nothing has happened
 */
export function vacate({ pids, pid }: StillProcesses, access: NamespaceAccess): boolean {
  const open = openSockets(pids);
  return access.within((exchange) => {
    const sockets = listTcpSockets(exchange);
    for (const { inode } of sockets) open.delete(inode);
    for (const inode of harmlessUnixSockets(pid)) open.delete(inode);
    if (open.size > 0) return false;
    destroyTcpSockets(exchange, sockets);
    return sockets.filter(({ listens }) => listens).every(canListen);
  });
}

/** Inodes of those that have a name in the file system, which is each tree's own, or none (net/unix/af_unix.c, unix_seq_show). */
function harmlessUnixSockets(pid: number): number[] {
  const lines = readFileSync(`/proc/${pid}/net/unix`, 'latin1').trim().split('\n').slice(1);
  const sockets = lines.map((line) => line.trim().split(/\s+/));
  return sockets.flatMap(([, , , , , , inode, name]) => (name?.startsWith('@') ? [] : [Number(inode)]));
}

/** Whether somebody else can have the address of a socket that has been destroyed, but not closed. */
function canListen({ address }: TcpSocket): boolean {
  const what = 'see whether a port is free';
  const socket = call('socket', [address.readUInt16LE(0), SOCK_STREAM_CLOEXEC, 0], what);
  try {
    const on = Uint8Array.of(1, 0, 0, 0);
    call('setsockopt', [socket, SOL_SOCKET, SO_REUSEADDR, on, on.length], what);
    call('bind', [socket, address, address.length], what);
    return true;
  } catch (error) {
    if (isErrno(error, 'EADDRINUSE')) return false;
    throw error;
  } finally {
    closeDescriptor(socket);
  }
}
