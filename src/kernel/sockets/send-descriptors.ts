import { addressOf, call } from '../ffi/libc.ts';

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
// Of struct msghdr, struct iovec and struct cmsghdr where pointers have 64 bits.
const MESSAGE = 56;
const PART = 16;
const CONTROL = 16;

/**
 * Sends bytes over a socket of the family AF_UNIX, and copies of descriptors with them: at least one byte, and of descriptors 253 at
 * most (unix(7)).
 *
 * @throws SystemError EPIPE when the other end has been closed
 */
export function sendDescriptors(
  socket: number,
  { bytes, descriptors, what }: { bytes: Uint8Array; descriptors: readonly number[]; what: string },
): void {
  const length = CONTROL + 4 * descriptors.length;
  // All in one piece, so that it stays where it is as long as the call refers to its beginning.
  const message = Buffer.alloc(MESSAGE + PART + Math.ceil(length / 8) * 8 + bytes.length);
  const [part, control, content] = [MESSAGE, MESSAGE + PART, message.length - bytes.length];
  const start = addressOf(message);
  message.writeBigUInt64LE(start + BigInt(part), 16);
  message.writeBigUInt64LE(1n, 24);
  message.writeBigUInt64LE(start + BigInt(control), 32);
  message.writeBigUInt64LE(BigInt(content - control), 40);
  message.writeBigUInt64LE(start + BigInt(content), part);
  message.writeBigUInt64LE(BigInt(bytes.length), part + 8);
  message.writeBigUInt64LE(BigInt(length), control);
  message.writeInt32LE(SOL_SOCKET, control + 8);
  message.writeInt32LE(SCM_RIGHTS, control + 12);
  descriptors.forEach((fd, i) => {
    message.writeInt32LE(fd, control + CONTROL + 4 * i);
  });
  message.set(bytes, content);
  call('sendmsg', [socket, message, MSG_NOSIGNAL], what);
}
