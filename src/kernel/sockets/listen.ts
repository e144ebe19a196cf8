import { closeDescriptor } from '../ffi/descriptor.ts';
import { call } from '../ffi/libc.ts';
import { AF_INET6, type Endpoint, encodeEndpoint, familyOf, portOf } from './address.ts';

// <bits/socket.h>, <linux/in6.h>; the same on x86-64 and arm64.
const SOCK_STREAM_CLOEXEC_NONBLOCK = 1 | 0o2000000 | 0o4000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
/** The kernel takes the lesser of this and net.core.somaxconn. */
const BACKLOG = 4096;

/** A listening TCP socket. Connections wait in it until somebody accepts them, this process or one that gets the descriptor. */
export interface ListeningSocket extends Endpoint {
  readonly fd: number;
}

/**
 * Listens on an address; port 0 lets the kernel choose. An IPv6 address stands for IPv6 only.
 *
 * @throws SystemError EADDRINUSE when somebody has the port, EACCES when it is a low one, EADDRNOTAVAIL when this machine
 * does not have the address
 */
export function listenOn(endpoint: Endpoint): ListeningSocket {
  const { host, port } = endpoint;
  const what = `listen on ${host} port ${port}`;
  const family = familyOf(host);
  const fd = call('socket', [family, SOCK_STREAM_CLOEXEC_NONBLOCK, 0], what);
  try {
    const on = Buffer.from(Int32Array.of(1).buffer);
    // Connections of the last one that are still being wound up do not count.
    call('setsockopt', [fd, SOL_SOCKET, SO_REUSEADDR, on, on.length], what);
    if (family === AF_INET6) call('setsockopt', [fd, IPPROTO_IPV6, IPV6_V6ONLY, on, on.length], what);
    const address = encodeEndpoint(endpoint);
    call('bind', [fd, address, address.length], what);
    call('listen', [fd, BACKLOG], what);
    const length = Int32Array.of(address.length);
    call('getsockname', [fd, address, length], what);
    return { fd, host, port: portOf(address) };
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}
