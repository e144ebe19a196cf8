import { Socket } from 'node:net';
import { deferred } from '../../support/deferred.ts';

export interface Output {
  readonly text: string;
  readonly truncated: boolean;
}

/** How long the output of a command that has ended may stay open in the hands of processes that it left behind. */
const LINGER = 100;

/** Reads a pipe from now on, keeping up to `max` bytes. Owns the descriptor. */
export function collectOutput(fd: number, max: number) {
  const chunks: Buffer[] = [];
  let size = 0;
  let truncated = false;
  const closed = deferred<void>();
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on('data', (chunk: Buffer) => {
    const kept = chunk.subarray(0, max - size);
    truncated ||= kept.length < chunk.length;
    if (kept.length > 0) chunks.push(kept);
    size += kept.length;
  });
  socket.on('error', () => {});
  socket.on('close', () => closed.resolve());
  return {
    /** To be called when the command has ended. Waits for the end of the stream, though not for daemons it left. */
    async finish(): Promise<Output> {
      const timer = setTimeout(() => socket.destroy(), LINGER);
      await closed.promise;
      clearTimeout(timer);
      return { text: Buffer.concat(chunks).toString('utf8'), truncated };
    },
    destroy: () => socket.destroy(),
    unref: () => socket.unref(),
  };
}
