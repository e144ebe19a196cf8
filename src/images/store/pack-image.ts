import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { MayflyError } from '../../support/error.ts';
import { digestOf } from '../digest.ts';
import type { Descriptor } from '../manifest/descriptor.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { MEDIA_TYPES } from '../manifest/media-types.ts';
import { named } from '../transfer/transfer-error.ts';
import type { ImageStore } from './image-store.ts';
import { PACKED_FROM } from './index-file.ts';
import { indexEntry } from './packed-images.ts';
import type { PackedImage, StoredImage } from './stored-image.ts';

/** Twice as fast as the default of 6, and a twentieth larger. */
const GZIP_LEVEL = 4;

/**
 * Manifest and blobs of an image. Those of one that was made here are made on first demand, and kept; whoever gets them has
 * the image under the same id. Only layers that mayfly 0.1 imported have other diffIDs when they are packed, and then the
 * image has another id.
 *
 * @throws TransferError `image.corrupt`, `image.no-space`, `layer.corrupt`, naming the image and the layer
 */
export async function packImage(
  store: ImageStore,
  image: StoredImage,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<PackedImage> {
  if (image.packed !== undefined) return image.packed;
  const before = store.index.read().find((entry) => entry.annotations?.[PACKED_FROM] === image.id);
  if (before !== undefined) return store.packed.open(before).packed!;
  const layers: Descriptor[] = [];
  const diffIds: string[] = [];
  for (const diffId of image.config.rootfs.diff_ids) {
    const packed = await named({ verb: 'pack', reference: image.name ?? image.id, layer: diffId }, () =>
      packLayer(store, { diffId, signal }),
    );
    layers.push(packed.descriptor);
    diffIds.push(packed.diffId);
  }
  const same = diffIds.every((diffId, position) => diffId === image.config.rootfs.diff_ids[position]);
  const config =
    (same ? store.local.bytes(image.id) : undefined) ??
    Buffer.from(JSON.stringify({ ...image.config, rootfs: { type: 'layers', diff_ids: diffIds } }));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: { mediaType: MEDIA_TYPES.config, digest: digestOf(config), size: config.length },
    layers,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await store.blobs.addBytes(manifest.config.digest, config);
  await store.blobs.addBytes(digestOf(bytes), bytes);
  const descriptor = { mediaType: MEDIA_TYPES.manifest, digest: digestOf(bytes), size: bytes.length };
  const entry = indexEntry(descriptor, { [PACKED_FROM]: image.id });
  await store.index.update((entries) => [...entries, entry], { signal });
  return { descriptor: entry, manifest };
}

async function packLayer(
  store: ImageStore,
  { diffId, signal }: { diffId: string; signal: AbortSignal | undefined },
): Promise<{ descriptor: Descriptor; diffId: string }> {
  const layer = store.layers.get(diffId);
  if (layer === undefined) throw new MayflyError('image.corrupt', `the layer ${diffId} is gone`);
  const plain = createHash('sha256');
  const { digest, size } = await store.blobs.addNew(async (file) => {
    await pipeline(
      store.layers.openTar(layer, { signal }),
      async function* (tar: AsyncIterable<Buffer>) {
        for await (const chunk of tar) {
          plain.update(chunk);
          yield chunk;
        }
      },
      createGzip({ level: GZIP_LEVEL }),
      file,
      { ...(signal ? { signal } : {}) },
    );
  });
  const packed = `sha256:${plain.digest('hex')}`;
  if (packed !== diffId && store.layers.formOf(diffId) === 'packed')
    throw new MayflyError(
      'layer.corrupt',
      `the layer ${diffId} is damaged: its files are not what they were`,
      {
        hint: 'remove the image and make it again; mayfly images --verify shows what else is damaged',
      },
    );
  return { descriptor: { mediaType: MEDIA_TYPES.gzipLayer, digest, size }, diffId: packed };
}
