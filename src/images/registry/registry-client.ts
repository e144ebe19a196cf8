import type { Readable } from 'node:stream';
import { digestOf, isDigest, matchesDigest } from '../digest.ts';
import { ACCEPT_MANIFESTS } from '../manifest/media-types.ts';
import { discard, MAX_DOCUMENT, readBody } from './http/response-body.ts';
import { RegistryError } from './registry-error.ts';
import type { Transport } from './transport.ts';

interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/** A manifest or index as it came. */
export interface FetchedManifest {
  readonly bytes: Buffer;
  /** What the registry says that it is. */
  readonly mediaType: string | undefined;
  /** Computed here; a registry's word for it is not taken. */
  readonly digest: string;
}

export interface BlobBody {
  readonly body: Readable;
  /** The first byte's place in the blob: not the one asked for when the registry does not know ranges. */
  readonly offset: number;
  /** Bytes of the whole blob, when the registry says so. */
  readonly size: number | undefined;
}

/** One repository of one registry, read by the API of distribution-spec 1.1. */
export interface RegistryClient {
  /** As references write it. */
  readonly host: string;
  readonly repository: string;
  /** @throws RegistryError `registry.not-found`, `registry.digest-mismatch`, … */
  getManifest(tagOrDigest: string, options?: Abortable): Promise<FetchedManifest>;
  /** Digest of what a tag stands for now; undefined when the registry does not tell. */
  headManifest(tag: string, options?: Abortable): Promise<string | undefined>;
  /** Begins to read a blob, from `offset` on. One attempt only. */
  openBlob(digest: string, options: Abortable & { offset: number }): Promise<BlobBody>;
}

export function createRegistryClient(
  transport: Transport,
  { host, repository }: { host: string; repository: string },
): RegistryClient {
  const scope = `repository:${repository}:pull`;
  const manifestRequest = (tagOrDigest: string) => ({
    url: `/v2/${repository}/manifests/${tagOrDigest}`,
    scope,
    headers: { accept: ACCEPT_MANIFESTS },
    what: `read the manifest ${tagOrDigest} of ${host}/${repository}`,
  });

  return {
    host,
    repository,
    async getManifest(tagOrDigest, { signal } = {}) {
      const response = await transport.request({
        ...manifestRequest(tagOrDigest),
        method: 'GET',
        expect: [200],
        signal,
      });
      const bytes = await readBody(response, MAX_DOCUMENT);
      const wanted = isDigest(tagOrDigest) ? tagOrDigest : undefined;
      if (wanted !== undefined && !matchesDigest(wanted, bytes)) {
        throw new RegistryError(
          'registry.digest-mismatch',
          `${host} sent another manifest than ${wanted}: ${digestOf(bytes)}`,
          { host, hint: 'the registry, or somebody between it and you, changed it; nothing of it is used' },
        );
      }
      return { bytes, mediaType: response.headers['content-type'], digest: wanted ?? digestOf(bytes) };
    },
    async headManifest(tag, { signal } = {}) {
      // 405: there are registries that do not know HEAD (containerd falls back to GET as well).
      const { status, headers, body } = await transport.request({
        ...manifestRequest(tag),
        method: 'HEAD',
        expect: [200, 405],
        signal,
      });
      discard(body);
      const digest = headers['docker-content-digest'];
      return status === 200 && typeof digest === 'string' && isDigest(digest) ? digest : undefined;
    },
    async openBlob(digest, { offset, signal }) {
      const { status, headers, body } = await transport.request({
        method: 'GET',
        url: `/v2/${repository}/blobs/${digest}`,
        scope,
        headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
        expect: offset > 0 ? [200, 206] : [200],
        what: `read the blob ${digest} of ${host}/${repository}`,
        signal,
        retry: false,
      });
      if (status === 200) return { body, offset: 0, size: numberOf(headers['content-length']) };
      const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
      // A part from elsewhere, or several parts in one body, must not be taken for what was asked.
      if (Number(first) === offset) return { body, offset, size: numberOf(total) };
      discard(body);
      throw new RegistryError(
        'registry.bad-response',
        `${host} sent another part of ${digest} than the one asked for`,
        {
          host,
          status,
        },
      );
    },
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
