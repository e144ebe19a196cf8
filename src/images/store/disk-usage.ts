import { statSync } from 'node:fs';
import type { ImageStore } from './image-store.ts';
import { listPlaced, placedOf } from './placed-layers.ts';

/** Bytes on disk, and how much of them nothing with a name stands on. */
export interface Usage {
  readonly count: number;
  readonly bytes: number;
  /** Of those, bytes that belong to no named image; pruneImages removes them, unless a container or the cache needs them. */
  readonly unnamedBytes: number;
}

export interface DiskUsage {
  /** Images by id, named or not. */
  readonly images: number;
  /** Blobs as they were pulled, or packed to be pushed. */
  readonly blobs: Usage;
  /** Unpacked layers; bytes of file content. */
  readonly layers: Usage;
}

/** What the store takes of the disk. */
export function measureStore(store: ImageStore): DiskUsage {
  const images = store.list();
  const named = images.filter(({ name }) => name !== undefined);
  const placed = listPlaced(store.paths);
  const namedLayers = new Set(
    named.flatMap(({ config: { rootfs } }) => [
      ...rootfs.diff_ids,
      ...placedOf(rootfs.diff_ids, placed).map(({ diffId }) => diffId),
    ]),
  );
  const namedBlobs = new Set(
    named.flatMap(({ packed }) =>
      packed === undefined
        ? []
        : [packed.descriptor, packed.manifest.config, ...packed.manifest.layers].map(({ digest }) =>
            store.paths.blob(digest),
          ),
    ),
  );
  const layers = store.layers.list();
  const blobs = store.blobs.list().map((path) => ({ path, size: statSync(path).size }));
  return {
    images: new Set(images.map(({ id }) => id)).size,
    blobs: usageOf(blobs, ({ path }) => namedBlobs.has(path)),
    layers: usageOf(layers, ({ diffId }) => namedLayers.has(diffId)),
  };
}

function usageOf<T extends { readonly size: number }>(
  items: readonly T[],
  isNamed: (item: T) => boolean,
): Usage {
  const sum = (some: readonly T[]) => some.reduce((total, { size }) => total + size, 0);
  return {
    count: items.length,
    bytes: sum(items),
    unnamedBytes: sum(items.filter((item) => !isNamed(item))),
  };
}
