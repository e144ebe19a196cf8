import { closeDescriptor } from '../ffi/descriptor.ts';
import { call } from '../ffi/libc.ts';

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;

/** Connects to a socket in the file system; at most 107 bytes of path (unix(7)). The descriptor is the caller's. @throws SystemError */
export function connectTo(path: string): number {
  const fd = call('socket', [AF_UNIX, SOCK_STREAM_CLOEXEC, 0], 'open a socket');
  try {
    const address = Buffer.concat([Buffer.of(AF_UNIX, 0), Buffer.from(`${path}\0`)]);
    call('connect', [fd, address, address.length], `connect to ${path}`);
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/** Two sockets that are connected to each other; the caller's to close. @throws SystemError */
export function openSocketPair(what: string): [ours: number, theirs: number] {
  const pair = new Int32Array(2);
  call('socketpair', [AF_UNIX, SOCK_STREAM_CLOEXEC, 0, pair], `create ${what}`);
  return [pair[0]!, pair[1]!];
}
