import type { Writable } from 'node:stream';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { END_OF_ARCHIVE, encodeHeader, padding } from '../../files/tar/encode.ts';
import { MayflyError } from '../../support/error.ts';
import { noSpace } from '../layers/layer-error.ts';
import { MEDIA_TYPES } from '../manifest/media-types.ts';
import { familiarReference, parseReference } from '../reference/parse.ts';
import type { ImageStore } from '../store/image-store.ts';
import { REF_NAME } from '../store/index-file.ts';
import { packImage } from '../store/pack-image.ts';
import type { PackedImage, StoredImage } from '../store/stored-image.ts';
import { named } from './transfer-error.ts';

interface Saved {
  readonly packed: PackedImage;
  readonly names: readonly string[];
}

/**
 * Writes images as one tar, which is an OCI layout and what `docker load` reads at once, as Docker 25 and later write it.
 * The same images give the same bytes.
 *
 * @throws TransferError `image.corrupt`, `image.no-space`, naming the images, and the stream's own errors
 */
export async function saveToArchive(
  store: ImageStore,
  { images, to, signal }: { images: readonly StoredImage[]; to: Writable; signal?: AbortSignal | undefined },
): Promise<void> {
  using _hold = await store.hold({ signal });
  const saved = new Map<string, Saved>();
  for (const image of images) {
    const packed = await packImage(store, image, { signal });
    const { digest } = packed.descriptor;
    const names = [...(saved.get(digest)?.names ?? []), ...(image.name === undefined ? [] : [image.name])];
    saved.set(digest, { packed, names });
  }
  const written = pipeline(Readable.from(archive(store, [...saved.values()])), to, signal ? { signal } : {});
  const reference = images.map(({ name, id }) => name ?? id).join(', ');
  await named({ verb: 'save', reference }, () => written.catch(refuseFull));
}

function refuseFull(cause: unknown): never {
  if (noSpace(cause) === undefined) throw cause;
  throw new MayflyError('image.no-space', 'the disk is full, so the archive could not be written', {
    cause,
    hint: 'free some space there, or write it elsewhere',
  });
}

async function* archive(store: ImageStore, images: readonly Saved[]): AsyncGenerator<Buffer> {
  const blobs = new Map(
    images.flatMap(({ packed: { descriptor, manifest } }) =>
      [descriptor, manifest.config, ...manifest.layers].map(({ digest, size }) => [digest, size] as const),
    ),
  );
  for (const name of ['blobs/', 'blobs/sha256/'])
    yield encodeHeader({ type: 'directory', name, mode: 0o755 });
  for (const [digest, size] of blobs) {
    yield encodeHeader({ type: 'file', name: blobPath(digest), mode: 0o644, size });
    yield* store.blobs.stream(digest) as AsyncIterable<Buffer>;
    yield padding(size);
  }
  yield file('index.json', ociIndex(images));
  yield file('manifest.json', dockerManifest(images));
  yield file('oci-layout', { imageLayoutVersion: '1.0.0' });
  yield END_OF_ARCHIVE;
}

const blobPath = (digest: string) => `blobs/${digest.replace(':', '/')}`;

function file(name: string, value: unknown): Buffer {
  const bytes = Buffer.from(JSON.stringify(value));
  const header = encodeHeader({ type: 'file', name, mode: 0o644, size: bytes.length });
  return Buffer.concat([header, bytes, padding(bytes.length)]);
}

function ociIndex(images: readonly Saved[]) {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.index,
    manifests: images.flatMap(({ packed: { descriptor }, names }) => {
      const { mediaType, digest, size } = descriptor;
      const plain = { mediaType, digest, size };
      return names.length === 0
        ? [plain]
        : names.map((name) => ({ ...plain, annotations: { [REF_NAME]: name } }));
    }),
  };
}

/** `manifest.json` of docker-archive (moby, image/tarexport); a name with a digest has no place there. */
function dockerManifest(images: readonly Saved[]) {
  return images.map(({ packed: { manifest }, names }) => ({
    Config: blobPath(manifest.config.digest),
    RepoTags: names
      .map(parseReference)
      .flatMap((name) => (name.digest === undefined ? [familiarReference(name)] : [])),
    Layers: manifest.layers.map(({ digest }) => blobPath(digest)),
  }));
}
