import { isErrno } from '../ffi/system-error.ts';
import { AF_INET } from '../sockets/address.ts';
import { acknowledged, encodePacket, NLM_F } from './message.ts';
import type { Exchange } from './socket.ts';

// sock_diag(7), from <linux/sock_diag.h> and <linux/inet_diag.h>.
/** Lists sockets of IPv4 and of IPv6, which may speak IPv4, too; what came later lists them one after the other. */
const TCPDIAG_GETSOCK = 18;
/** Since Linux 4.5, where it was built with INET_DIAG_DESTROY. */
const SOCK_DESTROY = 21;
const IPPROTO_TCP = 6;
/** All but TIME_WAIT (6) and CLOSE (7), which nobody is connected to. */
const STATES = 0xfff & ~(1 << 6) & ~(1 << 7);
const LISTEN = 10;
/** struct inet_diag_sockid: ports, addresses, interface, cookie. */
const SOCKET_ID_SIZE = 48;

export interface TcpSocket {
  readonly listens: boolean;
  /** 0 for a connection that nobody has accepted yet. */
  readonly inode: number;
  /** What it is bound to, as struct sockaddr_in or sockaddr_in6. */
  readonly address: Buffer;
  /** What the kernel knows it by. */
  readonly id: Buffer;
}

/**
 * Closes every TCP socket of the network namespace in which messages are exchanged, the listening ones first: whoever is connected gets a reset, and whoever connects
 * is refused.
 *
 * @throws SystemError EOPNOTSUPP, ENOENT when the kernel cannot; then nothing has happened
 */
export function destroyTcpSockets(exchange: Exchange, sockets = listTcpSockets(exchange)): void {
  const sorted = sockets.toSorted((a, b) => Number(b.listens) - Number(a.listens));
  if (sorted.length > 0) destroy(exchange, sorted);
}

/** Every TCP socket there that is connected or listens. @throws SystemError ENOENT when the kernel cannot tell */
export function listTcpSockets(exchange: Exchange): TcpSocket[] {
  // struct inet_diag_req: family, lengths of two masks, extensions, id, mask of states, whether with that of the queues.
  const request = Buffer.alloc(12 + SOCKET_ID_SIZE);
  request[0] = AF_INET;
  request.writeUInt32LE(STATES, 4 + SOCKET_ID_SIZE);
  const packet = encodePacket([{ type: TCPDIAG_GETSOCK, flags: NLM_F.NLM_F_DUMP, payload: [request] }]);
  // struct inet_diag_msg: family, state, timer, retransmissions, id, expiry, lengths of two queues, user, inode.
  return exchange(packet, { family: 'NETLINK_SOCK_DIAG', what: 'list TCP sockets' }).map(({ payload }) => {
    const id = payload.subarray(4, 4 + SOCKET_ID_SIZE);
    return {
      listens: payload[1] === LISTEN,
      inode: payload.readUInt32LE(4 + SOCKET_ID_SIZE + 16),
      address: addressIn(payload[0]!, id),
      id,
    };
  });
}

/** From struct inet_diag_sockid: ports, addresses, interface, which is the scope of a link's own address. */
function addressIn(family: number, id: Buffer): Buffer {
  const bytes = Buffer.alloc(family === AF_INET ? 16 : 28);
  bytes.writeUInt16LE(family, 0);
  id.copy(bytes, 2, 0, 2);
  if (family === AF_INET) id.copy(bytes, 4, 4, 8);
  else {
    id.copy(bytes, 8, 4, 20);
    id.copy(bytes, 24, 36, 40);
  }
  return bytes;
}

function destroy(exchange: Exchange, sockets: readonly TcpSocket[]): void {
  const messages = sockets.map(({ address, id }) => {
    // struct inet_diag_req_v2: family, protocol, extensions, padding, mask of states, id.
    const header = Buffer.from([address.readUInt16LE(0), IPPROTO_TCP, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32LE(STATES, 4);
    return { type: SOCK_DESTROY, payload: [header, id] };
  });
  try {
    exchange(acknowledged(messages), { family: 'NETLINK_SOCK_DIAG', what: 'close TCP sockets' });
  } catch (error) {
    // One has ended meanwhile; the kernel goes on to the next one after an error.
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
