import type { Readable } from 'node:stream';
import { RegistryError } from '../registry-error.ts';
import type { HttpResponse } from './http-client.ts';

/** Of a manifest, an index, a configuration (containerd's MaxManifestSize; CVE-2023-25153). */
export const MAX_DOCUMENT = 4 << 20;
/** Of a token or an error message (github.com/containers/image, iolimits.go). */
export const MAX_MESSAGE = 1 << 20;
/** So much of an error message is worth showing. */
const EXCERPT = 300;

/**
 * A whole body in memory.
 *
 * @throws RegistryError `registry.too-large`, `registry.broken-connection`, `registry.stalled`
 */
export async function readBody({ body, url }: HttpResponse, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) {
      body.destroy();
      throw new RegistryError(
        'registry.too-large',
        `${url.host} sent more than ${limit} bytes of ${url.pathname}`,
        {
          host: url.host,
        },
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws RegistryError `registry.bad-response` for what is no JSON object, else as {@link readBody} */
export async function readJsonBody(response: HttpResponse, limit: number): Promise<Record<string, unknown>> {
  const body = await readBody(response, limit);
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Told below.
  }
  const { host } = response.url;
  throw new RegistryError('registry.bad-response', `${host} sent no JSON object: ${excerpt(body)}`, { host });
}

/** What the server says about its refusal: distribution-spec's error codes, or the begin of whatever it sent. */
export async function readErrorMessage(response: HttpResponse): Promise<string> {
  let body: Buffer;
  try {
    body = await readBody(response, MAX_MESSAGE);
  } catch {
    return '';
  }
  try {
    const { errors } = JSON.parse(body.toString('utf8')) as { errors: { code?: string; message?: string }[] };
    const lines = errors.map(({ code, message }) => [code, message].filter(Boolean).join(': '));
    return excerpt(Buffer.from(lines.join('; ')));
  } catch {
    return excerpt(body);
  }
}

/** Gives the connection back without reading what nobody wants. */
export function discard(body: Readable): void {
  body.on('error', () => {});
  body.destroy();
}

/** Without control characters, which a terminal would obey. */
function excerpt(body: Buffer): string {
  return body
    .toString('utf8', 0, EXCERPT)
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
}
