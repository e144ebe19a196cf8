import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Descriptor } from '../manifest/descriptor.ts';
import { formatReference, parseReference, type Reference } from '../reference/parse.ts';
import type { Registries } from '../registry/registries.ts';
import { createRegistryWriter, type RegistryWriter } from '../registry/registry-writer.ts';
import type { ImageStore } from '../store/image-store.ts';
import { packImage } from '../store/pack-image.ts';
import type { StoredImage } from '../store/stored-image.ts';
import { inParallel } from './concurrency.ts';
import type { OnTransferProgress } from './progress.ts';
import { named } from './transfer-error.ts';

/** As many as Docker uploads at once. */
const LAYERS_AT_ONCE = 5;

export interface PushRequest {
  readonly image: StoredImage;
  /** Where to, under which tag. */
  readonly reference: Reference;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnTransferProgress | undefined;
}

/**
 * Brings an image to a registry: layers that it has are left alone, those that another of its repositories has are mounted,
 * the rest is uploaded; then the configuration, and last of all the manifest.
 *
 * @returns the digest of the manifest
 * @throws TransferError `registry.*`, `image.*`, naming the reference and the layer
 */
export async function pushToRegistry(
  { store, registries }: { store: ImageStore; registries: Registries },
  { image, reference, signal, onProgress }: PushRequest,
): Promise<string> {
  const name = formatReference(reference);
  using _hold = await store.hold({ signal });
  return await named({ verb: 'push', reference }, async () => {
    const { registry, repository, tag } = reference;
    const { descriptor, manifest } = await packImage(store, image, { signal });
    const transport = await registries.transport({ host: registry }, signal);
    const writer = createRegistryWriter(transport, { host: registry, repository });
    const push = (blob: Descriptor, stop: AbortSignal | undefined) =>
      named({ verb: 'push', reference, layer: blob.digest }, () =>
        pushBlob(writer, {
          store,
          blob,
          sources: repositoriesWith(store, { blob, registry, repository }),
          retry: registries.retry,
          signal: stop,
          report: (phase, bytes) => {
            // The configuration is no layer.
            if (blob.digest === manifest.config.digest) return;
            onProgress?.({ reference: name, layer: blob.digest, phase, bytes, totalBytes: blob.size });
          },
        }),
      );
    // The same layer may be there twice.
    const layers = [...new Map(manifest.layers.map((layer) => [layer.digest, layer])).values()];
    await inParallel(layers, { limit: LAYERS_AT_ONCE, signal, task: push });
    await push(manifest.config, signal);
    const bytes = store.blobs.read(descriptor.digest);
    await writer.putManifest(tag ?? descriptor.digest, { bytes, descriptor, signal });
    return descriptor.digest;
  });
}

interface BlobPush {
  readonly store: ImageStore;
  readonly blob: Descriptor;
  /** Repositories of the same registry that may have it. */
  readonly sources: readonly string[];
  readonly retry: Registries['retry'];
  readonly signal: AbortSignal | undefined;
  readonly report: (phase: 'upload' | 'done', bytes: number) => void;
}

async function pushBlob(writer: RegistryWriter, push: BlobPush): Promise<void> {
  const { store, blob, sources, retry, signal, report } = push;
  const { digest, size } = blob;
  const isThere = async () => {
    if (await writer.hasBlob(digest, { signal })) return true;
    for (const from of sources) {
      // A repository that may not be read any more is no reason not to push.
      if (await writer.mountBlob(digest, { from, signal }).catch(() => false)) return true;
    }
    return false;
  };
  if (!(await isThere())) {
    const read = (start: number, end: number) =>
      end === start ? Readable.from([]) : createReadStream(store.paths.blob(digest), { start, end: end - 1 });
    await writer.uploadBlob({
      descriptor: blob,
      read,
      retry,
      signal,
      onProgress: (bytes) => report('upload', bytes),
    });
  }
  report('done', size);
}

/** At most three, since each costs a request: where images with this blob came from or went to. */
function repositoriesWith(
  store: ImageStore,
  { blob, registry, repository }: { blob: Descriptor; registry: string; repository: string },
): string[] {
  const prefix = `${registry}/`;
  const repositories = store.list().flatMap(({ name, packed }) => {
    if (!name?.startsWith(prefix) || !packed?.manifest.layers.some(({ digest }) => digest === blob.digest))
      return [];
    return [parseReference(name).repository];
  });
  return [...new Set(repositories)].filter((other) => other !== repository).slice(0, 3);
}
