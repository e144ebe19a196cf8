import { closeDescriptor } from '../kernel/ffi/descriptor.ts';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { type ListeningSocket, listenOn } from '../kernel/sockets/listen.ts';
import { isMayflyError, MayflyError } from '../support/error.ts';

/** How often a port that is free on one address is tried on the next. */
const ATTEMPTS = 20;

/** A port of a container that shall be reachable at the host. */
export interface PortRequest {
  readonly container: number;
  /** 0: one that is free. */
  readonly host: number;
  /** Address of the host. Undefined: its loopback, by IPv4 and, where there is any, IPv6. */
  readonly hostIp: string | undefined;
  /** With host 0: the one to take when it is free. */
  readonly preferred?: number | undefined;
}

export interface PublishedPort {
  readonly container: number;
  readonly host: number;
  readonly hostIps: readonly string[];
}

/** Listening sockets of a container that is about to start. */
export interface Publication extends Disposable {
  readonly ports: readonly PublishedPort[];
  /** Connections to `fd` are for `container`, a port. */
  readonly listeners: readonly { readonly fd: number; readonly container: number }[];
}

/**
 * Listens on the host's ports, so that none of them can be taken by somebody else once this has worked. Whoever disposes of it
 * closes the sockets here; the forwarder has its own copies by then.
 *
 * @throws MayflyError `network.port-taken`, `network.port-denied`, `network.no-such-address`
 */
export function publishPorts(requests: readonly PortRequest[]): Publication {
  const opened: { socket: ListeningSocket; container: number }[] = [];
  const close = () => {
    for (const { socket } of opened.splice(0)) closeDescriptor(socket.fd);
  };
  try {
    const ports = requests.map((request) => {
      const sockets = listenAs(request);
      for (const socket of sockets) opened.push({ socket, container: request.container });
      return {
        container: request.container,
        host: sockets[0]!.port,
        hostIps: sockets.map(({ host }) => host),
      };
    });
    const listeners = opened.map(({ socket, container }) => ({ fd: socket.fd, container }));
    return { ports, listeners, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

function listenAs({ preferred, ...request }: PortRequest): ListeningSocket[] {
  if (request.host === 0 && preferred !== undefined) {
    try {
      return listenAs({ ...request, host: preferred });
    } catch (error) {
      if (!isMayflyError(error, 'network.port-taken')) throw error;
    }
  }
  return request.hostIp === undefined ? listenOnLoopback(request) : [listen(request, request.hostIp)];
}

/** The same port for both families: a port that the kernel chose may be taken in the other one. */
function listenOnLoopback(request: PortRequest): ListeningSocket[] {
  for (let attempt = 1; ; attempt += 1) {
    const ipv4 = listen(request, '127.0.0.1');
    try {
      return [ipv4, listenOn({ host: '::1', port: ipv4.port })];
    } catch (error) {
      // A machine without IPv6.
      if (isErrno(error, 'EADDRNOTAVAIL', 'EAFNOSUPPORT')) return [ipv4];
      closeDescriptor(ipv4.fd);
      if (!isErrno(error, 'EADDRINUSE') || request.host !== 0 || attempt === ATTEMPTS)
        throw portError({ ...request, host: ipv4.port }, error, '::1');
    }
  }
}

function listen(request: PortRequest, host: string): ListeningSocket {
  try {
    return listenOn({ host, port: request.host });
  } catch (error) {
    throw portError(request, error, host);
  }
}

function portError({ host: port, container }: PortRequest, cause: unknown, host: string): unknown {
  const what = `port ${port} of ${host}, wanted for port ${container} of the container,`;
  if (isErrno(cause, 'EADDRINUSE'))
    return new MayflyError('network.port-taken', `${what} is taken`, {
      cause,
      hint: 'leave the host port out, and one that is free is taken; `ss -ltnp` says who has it',
    });
  if (isErrno(cause, 'EACCES'))
    return new MayflyError('network.port-denied', `${what} is not for ordinary users`, {
      cause,
      hint: 'choose one from net.ipv4.ip_unprivileged_port_start on, 1024 by default',
    });
  if (isErrno(cause, 'EADDRNOTAVAIL', 'EAFNOSUPPORT'))
    return new MayflyError('network.no-such-address', `this machine does not have the address ${host}`, {
      cause,
      hint: 'see `ip address`',
    });
  return cause;
}
