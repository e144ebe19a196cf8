import { type Readable, Transform } from 'node:stream';
import { RegistryError } from '../registry-error.ts';
import { networkError } from './network-error.ts';

/** A body that brings less than this within one stall timeout, and does not end in it, is given up. */
const LEAST_PROGRESS = 16 << 10;

interface Watched {
  readonly url: URL;
  readonly stallTimeout: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * The same bytes, with errors that say what happened. A server that sends one byte every few seconds never runs into a
 * timeout of idle connections, so progress is counted here. While the reader holds back, no time passes.
 */
export function watchProgress(source: Readable, { url, stallTimeout, signal }: Watched): Readable {
  let received = 0;
  const watched = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      done(null, chunk);
    },
  });
  const timer = setInterval(() => {
    const heldBack = watched.readableLength > 0;
    if (received < LEAST_PROGRESS && !heldBack) source.destroy(stalled(url, stallTimeout));
    received = 0;
  }, stallTimeout);
  timer.unref();
  source.on('error', (error) =>
    watched.destroy(signal?.aborted ? (signal.reason as Error) : networkError(error, url)),
  );
  source.on('close', () => clearInterval(timer));
  watched.on('close', () => {
    clearInterval(timer);
    source.destroy();
  });
  return source.pipe(watched);
}

function stalled({ host, pathname }: URL, stallTimeout: number): RegistryError {
  return new RegistryError(
    'registry.stalled',
    `${host} sends ${pathname} too slowly: next to nothing in ${stallTimeout} ms`,
    {
      host,
      hint: 'is the network or the registry overloaded? try again',
    },
  );
}
