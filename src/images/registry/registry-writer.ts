import type { Readable } from 'node:stream';
import { isDigest } from '../digest.ts';
import type { Descriptor } from '../manifest/descriptor.ts';
import { discard } from './http/response-body.ts';
import { type RetryOptions, withRetry } from './http/retry.ts';
import { RegistryError } from './registry-error.ts';
import type { Transport } from './transport.ts';

/** Larger blobs go in several pieces, so that a broken connection costs one piece and not all. */
const PIECE = 16 << 20;
const BINARY = { 'content-type': 'application/octet-stream' };

interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

export interface Upload extends Abortable {
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  /** Bytes of the blob, from `start` up to but without `end`. */
  readonly read: (start: number, end: number) => Readable;
  readonly onProgress?: ((bytes: number) => void) | undefined;
  readonly retry: Omit<RetryOptions, 'signal' | 'progressed'>;
}

/** One repository of one registry, written by the API of distribution-spec 1.1. */
export interface RegistryWriter {
  hasBlob(digest: string, options?: Abortable): Promise<boolean>;
  /** Takes a blob over from another repository of the same registry; false when the registry will not. */
  mountBlob(digest: string, options: Abortable & { from: string }): Promise<boolean>;
  /** @throws RegistryError `registry.*` */
  uploadBlob(upload: Upload): Promise<void>;
  putManifest(
    tagOrDigest: string,
    manifest: Abortable & {
      readonly bytes: Uint8Array;
      readonly descriptor: Pick<Descriptor, 'mediaType' | 'digest'>;
    },
  ): Promise<void>;
}

export function createRegistryWriter(
  transport: Transport,
  { host, repository }: { host: string; repository: string },
): RegistryWriter {
  const scope = `repository:${repository}:pull,push`;
  const base = `/v2/${repository}`;
  const what = (deed: string) => `${deed} ${host}/${repository}`;

  /** Where the registry wants an upload to go on; it may be another host, which then gets no Authorization. */
  function location(headers: { location?: string | undefined }, from: URL): URL {
    if (headers.location !== undefined && URL.canParse(headers.location, from.href)) {
      return new URL(headers.location, from);
    }
    throw new RegistryError('registry.bad-response', `${host} does not say where the upload goes on`, {
      host,
    });
  }

  async function begin(signal: AbortSignal | undefined): Promise<URL> {
    const response = await transport.request({
      method: 'POST',
      url: `${base}/blobs/uploads/`,
      scope,
      headers: { 'content-length': '0' },
      expect: [202],
      what: what('upload to'),
      signal,
    });
    discard(response.body);
    return location(response.headers, response.url);
  }

  async function finish(at: URL, upload: Upload & { start: number }): Promise<void> {
    const { descriptor, read, start, signal } = upload;
    const url = new URL(at);
    url.searchParams.set('digest', descriptor.digest);
    const { body } = await transport.request({
      method: 'PUT',
      url,
      scope,
      headers: { ...BINARY, 'content-length': String(descriptor.size - start) },
      ...(start < descriptor.size ? { body: () => read(start, descriptor.size) } : {}),
      expect: [201],
      what: what(`finish the upload of ${descriptor.digest} to`),
      signal,
      retry: false,
    });
    discard(body);
  }

  /** How much of an upload has arrived; undefined when the registry has forgotten it. */
  async function arrived(at: URL, signal: AbortSignal | undefined): Promise<number | undefined> {
    const { status, headers, body } = await transport.request({
      method: 'GET',
      url: at,
      scope,
      expect: [204, 400, 404, 416],
      what: what('ask for the state of an upload to'),
      signal,
    });
    discard(body);
    const last = /^(?:bytes=)?0-(\d+)$/.exec(String(headers.range ?? ''))?.[1];
    if (status !== 204 || last === undefined) return undefined;
    // `0-0` is what there is to say of nothing, too.
    return last === '0' ? 0 : Number(last) + 1;
  }

  async function uploadBlob(upload: Upload): Promise<void> {
    const { descriptor, read, signal, retry, onProgress } = upload;
    let at: URL | undefined;
    let start = 0;
    let failed = false;
    await withRetry(
      async () => {
        if (failed) {
          // The answer may have been lost, and not what was sent.
          if (await hasBlob(descriptor.digest, { signal })) return;
          const there = at && (await arrived(at, signal));
          if (there === undefined) at = undefined;
          start = there ?? 0;
        }
        failed = true;
        at ??= await begin(signal);
        while (descriptor.size - start > PIECE) {
          const [from, end] = [start, start + PIECE];
          const response = await transport.request({
            method: 'PATCH',
            url: at,
            scope,
            headers: { ...BINARY, 'content-length': String(PIECE), 'content-range': `${from}-${end - 1}` },
            body: () => read(from, end),
            expect: [202],
            what: what(`upload ${descriptor.digest} to`),
            signal,
            retry: false,
          });
          discard(response.body);
          at = location(response.headers, response.url);
          start = end;
          onProgress?.(start);
        }
        await finish(at, { ...upload, start });
        onProgress?.(descriptor.size);
      },
      { ...retry, signal },
    );
  }

  async function hasBlob(digest: string, { signal }: Abortable = {}): Promise<boolean> {
    const { status, body } = await transport.request({
      method: 'HEAD',
      url: `${base}/blobs/${digest}`,
      scope,
      expect: [200, 404],
      what: what(`look for ${digest} in`),
      signal,
    });
    discard(body);
    return status === 200;
  }

  return {
    hasBlob,
    uploadBlob,
    async mountBlob(digest, { from, signal }) {
      const { status, body } = await transport.request({
        method: 'POST',
        url: `${base}/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`,
        scope: `${scope} repository:${from}:pull`,
        headers: { 'content-length': '0' },
        // 202 opens an upload instead, which the registry forgets by itself.
        expect: [201, 202],
        what: what(`mount ${digest} in`),
        signal,
      });
      discard(body);
      return status === 201;
    },
    async putManifest(tagOrDigest, { bytes, descriptor, signal }) {
      const { headers, body } = await transport.request({
        method: 'PUT',
        url: `${base}/manifests/${tagOrDigest}`,
        scope,
        headers: { 'content-type': descriptor.mediaType, 'content-length': String(bytes.length) },
        body: () => bytes,
        expect: [201],
        what: what('put the manifest to'),
        signal,
      });
      discard(body);
      const stored = headers['docker-content-digest'];
      if (typeof stored !== 'string' || !isDigest(stored) || stored === descriptor.digest) return;
      throw new RegistryError(
        'registry.digest-mismatch',
        `${host} stored ${stored} instead of ${descriptor.digest}`,
        {
          host,
        },
      );
    },
  };
}
