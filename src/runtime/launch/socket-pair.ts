import { call } from '../../kernel/ffi/libc.ts';

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;

/** Two sockets that are connected to each other; the caller's to close. */
export function openSocketPair(what: string): [ours: number, theirs: number] {
  const pair = new Int32Array(2);
  call('socketpair', [AF_UNIX, SOCK_STREAM_CLOEXEC, 0, pair], `create ${what}`);
  return [pair[0]!, pair[1]!];
}

/** By which a program hands a terminal to the shim, both ends by the meaning that they have there. */
export function openHandover(): { input: number; handover: number } {
  const [input, handover] = openSocketPair('the way for a terminal');
  return { input, handover };
}
