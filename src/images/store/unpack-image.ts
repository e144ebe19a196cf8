import { join } from 'node:path';
import type { GrowingFile } from '../../files/growing-file.ts';
import { MayflyError } from '../../support/error.ts';
import type { Layer } from '../layers/layer.ts';
import type { LayerStore } from '../layers/layer-store.ts';
import { placeLayer } from '../layers/place-layer.ts';
import { named } from '../transfer/transfer-error.ts';
import type { BlobStore } from './blob-store.ts';
import type { Image } from './image.ts';
import type { StorePaths } from './layout.ts';
import { once } from './once.ts';
import type { StoredImage } from './stored-image.ts';

interface Stores {
  readonly layers: LayerStore;
  readonly blobs: BlobStore;
  readonly paths: StorePaths;
}

interface LayerBlob {
  readonly diffId: string;
  /** Opens its tar, called when it is not unpacked yet; undefined when there is none. */
  readonly openBlob: (() => GrowingFile) | undefined;
}

/**
 * An image as a stack of directories; layers that are not unpacked yet are.
 *
 * @throws TransferError `layer.*`, `image.corrupt`, naming the image and the layer
 */
export async function unpackImage(
  stores: Stores,
  { id, name, config, packed }: StoredImage,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<Image> {
  const layers: Layer[] = [];
  const diffIds = config.rootfs.diff_ids;
  for (const [position, diffId] of diffIds.entries()) {
    // The same tree twice is refused by overlay, and the lower one is hidden by the upper one anyway.
    if (diffIds.indexOf(diffId, position + 1) >= 0) continue;
    const digest = packed?.manifest.layers[position]?.digest;
    const openBlob = digest === undefined ? undefined : () => stores.blobs.open(digest);
    await named({ verb: 'unpack', reference: name ?? id, layer: digest ?? diffId }, async () => {
      const layer = await unpackLayer(stores, { diffId, openBlob }, options);
      const placed = placeLayer(stores.layers, {
        layer,
        below: layers,
        cache: stores.paths.placed,
        ...options,
      });
      layers.push(await placed);
    });
  }
  const { os, architecture, variant } = config;
  const platform = { os, architecture, ...(variant ? { variant } : {}) };
  return { id, references: name === undefined ? [] : [name], config: config.config ?? {}, layers, platform };
}

/**
 * One layer, unpacked by the first process that wants it.
 *
 * @throws MayflyError `image.corrupt` when it is neither unpacked nor a blob; `layer.diff-id-mismatch`, `layer.*`
 */
export function unpackLayer(
  { layers, paths }: Pick<Stores, 'layers' | 'paths'>,
  { diffId, openBlob }: LayerBlob,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((bytes: number) => void) | undefined;
  },
): Promise<Layer> {
  const build = async () => {
    if (openBlob !== undefined) {
      using blob = openBlob();
      return await layers.importTar(blob, { ...options, diffId });
    }
    throw new MayflyError('image.corrupt', `the layer ${diffId} is gone`, {
      hint: 'remove the image and import it again',
    });
  };
  const lock = join(paths.ingest, `unpack-${diffId.replace(':', '-')}.lock`);
  return once(lock, { lookup: async () => layers.get(diffId), build }, { signal: options.signal });
}
