import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Writes a command's input to its pipe. Owns the descriptor. A command that does not read it all is no error. */
export function feedInput(
  fd: number,
  input: string | Uint8Array | Readable | undefined,
): { destroy(): void; unref(): void } {
  const socket = new Socket({ fd, readable: false, writable: true });
  socket.on('error', () => {});
  if (input instanceof Readable) pipeline(input, socket).catch(() => {});
  else socket.end(input ?? '');
  return { destroy: () => socket.destroy(), unref: () => socket.unref() };
}
