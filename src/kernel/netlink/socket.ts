import { closeDescriptor } from '../ffi/descriptor.ts';
import { call } from '../ffi/libc.ts';
import { errnoName, SystemError } from '../ffi/system-error.ts';
import { parseMessages, type ReceivedMessage } from './parse.ts';

export const AF_NETLINK = 16;
/** SOCK_RAW, closed on exec. */
export const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
export const NETLINK = { NETLINK_ROUTE: 0, NETLINK_SOCK_DIAG: 4, NETLINK_NETFILTER: 12 } as const;

const MSG_DONTWAIT = 0x40;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
/** What the kernel puts into one answer of a dump at most. */
const RECEIVE_SIZE = 65_536;
/** One for all: nothing else happens between a call and what is made of it. */
const received = Buffer.alloc(RECEIVE_SIZE);

/** Sends a packet and collects what is answered. */
export type Exchange = (
  packet: Uint8Array,
  about: { family: keyof typeof NETLINK; what: string },
) => ReceivedMessage[];

/**
 * Sends a packet on a socket of its own, in this process's network namespace, and collects the answers until the
 * acknowledgement or the end of a dump. Does not block: the kernel answers these families before send returns.
 *
 * `what` says in errors what was being done.
 *
 * @throws SystemError when the socket cannot be had (EPROTONOSUPPORT: the kernel has no such family) or the kernel
 * answers with an error.
 */
export const exchange: Exchange = (packet, { family, what }) => {
  const fd = call('socket', [AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK[family]], `open a ${family} socket`);
  try {
    return converse(fd, packet, what);
  } finally {
    closeDescriptor(fd);
  }
};

/** The same on a socket that there is, in whose network namespace it happens. What has been left unread on it is passed over. */
export function exchangeOver(socket: number, packet: Uint8Array, what: string): ReceivedMessage[] {
  while (call('recv', [socket, received, received.length, MSG_DONTWAIT], what, ['EAGAIN']) > 0);
  return converse(socket, packet, what);
}

function converse(socket: number, packet: Uint8Array, what: string): ReceivedMessage[] {
  call('send', [socket, packet, packet.length, 0], what);
  const messages: ReceivedMessage[] = [];
  for (;;) {
    const length = call('recv', [socket, received, received.length, 0], what);
    for (const message of parseMessages(Buffer.from(received.subarray(0, length)))) {
      if (message.type === NLMSG_DONE) return messages;
      if (message.type === NLMSG_ERROR) {
        const errno = -message.payload.readInt32LE();
        if (errno === 0) return messages;
        throw new SystemError('netlink', errno, what, HINTS[errnoName(errno)]);
      }
      messages.push(message);
    }
  }
}

const HINTS: Readonly<Record<string, string>> = { EPERM: 'run as root' };
