import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { CopyStep } from '../images/dockerfile/copy-step.ts';
import { DockerfileError, type Place } from '../images/dockerfile/dockerfile-error.ts';
import { withoutCredentials } from '../images/dockerfile/step-text.ts';
import { type CopyPart, filePart } from './copy-parts.ts';

/** Larger files belong into an image, or are fetched by a RUN. */
const MOST_BYTES = 256 << 20;
/** Docker's: only root may read what came from somewhere. */
const MODE = 0o600;
const TIMEOUT = 300_000;

export const isUrl = (source: string) => /^https?:\/\//i.test(source);

/**
 * What ADD fetches: a file under the last part of the URL's path, checked against `--checksum`.
 *
 * @throws DockerfileError `build.fetch-failed`, `build.checksum-mismatch`
 */
export async function fetchParts(
  { sources, checksum }: CopyStep,
  { place, signal }: { place: Place; signal: AbortSignal | undefined },
): Promise<CopyPart[]> {
  const parts: CopyPart[] = [];
  for (const url of sources.filter(isUrl)) {
    const bytes = await download(url, { place, signal });
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (checksum !== undefined && checksum !== digest)
      throw new DockerfileError(
        'build.checksum-mismatch',
        `${withoutCredentials(url)} has ${digest}, not ${checksum}`,
        {
          place,
        },
      );
    parts.push(filePart({ name: posix.basename(new URL(url).pathname) || 'index', bytes, mode: MODE }));
  }
  return parts;
}

async function download(
  url: string,
  { place, signal }: { place: Place; signal: AbortSignal | undefined },
): Promise<Buffer> {
  const failed = (why: string, cause?: unknown) =>
    new DockerfileError('build.fetch-failed', `${withoutCredentials(url)} cannot be fetched: ${why}`, {
      place,
      cause,
    });
  const limit = AbortSignal.timeout(TIMEOUT);
  try {
    const { fetch } = await import('undici');
    const { address, headers } = withAuthorization(url);
    const response = await fetch(address, {
      headers,
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
    if (!response.ok) throw failed(`the server answers ${response.status}`);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > MOST_BYTES) throw failed(`it is larger than ${MOST_BYTES} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof DockerfileError ? error : failed(String((error as Error).cause ?? error), error);
  }
}

/** Name and password go into a header, which a redirection to another host does not get. */
function withAuthorization(url: string): { address: URL; headers: Record<string, string> } {
  const address = new URL(url);
  const { username, password } = address;
  if (username === '' && password === '') return { address, headers: {} };
  [address.username, address.password] = ['', ''];
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { address, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}
