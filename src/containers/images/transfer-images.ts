import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { parseReference } from '../../images/reference/parse.ts';
import { type SearchResult, searchRegistry } from '../../images/registry/search.ts';
import { loadFromArchive } from '../../images/transfer/load.ts';
import type { TransferProgress } from '../../images/transfer/progress.ts';
import { pushToRegistry } from '../../images/transfer/push.ts';
import { saveToArchive } from '../../images/transfer/save.ts';
import { MayflyError } from '../../support/error.ts';
import { openEngine } from '../engine.ts';
import { lookup } from './local-images.ts';

export interface PushOptions {
  /** The name, id or digits of the image in the local store. Default: the reference itself. */
  readonly image?: string;
  readonly signal?: AbortSignal;
  /** Called often, layer by layer. */
  readonly onProgress?: (progress: TransferProgress) => void;
}

/**
 * Brings an image of the local store to the registry, repository and tag that the reference names. Returns the digest of the
 * manifest there.
 *
 * @throws TransferError `registry.unreachable`, `registry.unauthorized`, `registry.forbidden`, `registry.*`; MayflyError `image.not-found`
 */
export async function pushImage(reference: string, options: PushOptions = {}): Promise<string> {
  const { image = reference, signal, onProgress } = options;
  const { images: store, openRegistries } = openEngine();
  const stored = lookup(store, image);
  await using registries = await openRegistries();
  return await pushToRegistry(
    { store, registries },
    { image: stored, reference: parseReference(reference), signal, onProgress },
  );
}

export interface SearchOptions {
  /** Host of a private registry, whose catalog is searched by name. Default: `docker.io`. */
  readonly registry?: string;
  /** Default: 25. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/**
 * Looks for images by a part of their name.
 *
 * @throws RegistryError `registry.unreachable`, `registry.unauthorized`, `registry.*`
 */
export async function searchImages(
  term: string,
  options: SearchOptions = {},
): Promise<readonly SearchResult[]> {
  const { registry: host = 'docker.io', limit = 25, signal } = options;
  await using registries = await openEngine().openRegistries();
  return await searchRegistry(registries, { term, host, limit, signal });
}

/**
 * Writes images into one tar that `docker load` reads and that is an OCI archive as well.
 *
 * @param to a path, which is removed again when it fails, or a stream
 * @throws MayflyError `image.not-found`, `image.no-space`
 */
export async function saveImages(
  references: string | readonly string[],
  to: string | Writable,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const { images: store } = openEngine();
  const images = [references].flat().map((reference) => lookup(store, reference));
  try {
    await saveToArchive(store, { images, to: typeof to === 'string' ? createWriteStream(to) : to, signal });
  } catch (error) {
    if (typeof to === 'string') await rm(to, { force: true });
    throw error;
  }
}

export interface LoadOptions {
  /** True: names that stand for other images here stand for those of the archive from then on. Default: false, which is an error. */
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Reads images out of an archive: docker-archive or OCI, plain or compressed, a path or a stream. Returns their names, and the
 * ids of those without one.
 *
 * @throws MayflyError `image.no-such-file`, `image.bad-archive`, `image.name-taken`, `image.*`, `layer.*`
 */
export async function loadImages(
  from: string | Readable,
  options: LoadOptions = {},
): Promise<readonly string[]> {
  const { overwrite = false, signal } = options;
  const stream = typeof from === 'string' ? createReadStream(from) : from;
  try {
    const images = await loadFromArchive(openEngine().images, { from: stream, overwrite, signal });
    return images.map(({ name, id }) => name ?? id);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new MayflyError('image.no-such-file', `cannot open ${from}`, { cause, hint: 'check the path' });
  } finally {
    stream.destroy();
  }
}
