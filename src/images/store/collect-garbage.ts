import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from '../../kernel/processes/file-lock.ts';
import { deadlineIn } from '../../support/deadline.ts';
import type { Home } from '../../support/home.ts';
import type { ImageStore } from './image-store.ts';
import { PACKED_FROM, REF_NAME } from './index-file.ts';
import { listPlaced, placedOf } from './placed-layers.ts';
import { unlessDamaged } from './problem.ts';
import type { StoredImage } from './stored-image.ts';

/** Starts and transfers hold the store for as long as they take; whoever waits longer than this had better come again. */
const PATIENCE = 60_000;

export interface Roots {
  /** diffIDs of layers that containers stand on, asked for when nobody can start another one. */
  readonly layersInUse: () => ReadonlySet<string>;
  /** True to keep what the cache remembers: results of recipes and first starts. */
  readonly keepCache: boolean;
  /** Names of images that go as well, chosen at that moment. */
  readonly untag?: (images: readonly StoredImage[], inUse: ReadonlySet<string>) => readonly string[];
}

/** What was removed. */
export interface Garbage {
  /** Names that were taken away. */
  readonly names: readonly string[];
  readonly blobs: number;
  readonly layers: number;
  /** Bytes of blobs and of files in layers. */
  readonly bytes: number;
}

/**
 * Removes every blob, configuration and layer that no named image, no container and no cache needs. Nothing else can start
 * or pull meanwhile.
 *
 * Order: names before what they stand for, so that at no instant a name leads to nothing.
 *
 * @throws MayflyError `wait.timeout` while something is being pulled or started
 */
export async function collectGarbage(
  { store, home }: { store: ImageStore; home: Home },
  { layersInUse, keepCache, untag }: Roots,
): Promise<Garbage> {
  using _alone = await lockFile(store.paths.holdLock, { deadline: deadlineIn(PATIENCE) });
  const placed = listPlaced(store.paths);
  const standing = layersInUse();
  // A container that stands on a placed layer stands on the image with the layer that it was made of.
  const inUse = new Set([
    ...standing,
    ...placed.flatMap(({ diffId, of }) => (standing.has(diffId) ? [of] : [])),
  ]);
  const names = untag?.(store.list(), inUse) ?? [];
  for (const name of names) await store.remove(name);

  const named = store.list().filter(({ name }) => name !== undefined);
  const ids = new Set(named.map(({ id }) => id));
  // Without a name stays only what was packed of an image that is still there.
  await store.index.update((entries) =>
    entries.filter(
      ({ annotations }) => annotations?.[REF_NAME] !== undefined || ids.has(annotations?.[PACKED_FROM] ?? ''),
    ),
  );
  for (const id of store.local.ids()) if (!ids.has(id)) store.local.removeConfig(id);

  const neededLayers = new Set([...inUse, ...named.flatMap(({ config }) => config.rootfs.diff_ids)]);
  if (keepCache) for (const diffId of cachedLayers(home)) neededLayers.add(diffId);
  const neededPlaced = new Set(named.flatMap(({ config }) => placedOf(config.rootfs.diff_ids, placed)));
  for (const layer of placed) {
    if (neededPlaced.has(layer)) neededLayers.add(layer.diffId);
    else if (!standing.has(layer.diffId)) layer.forget();
  }
  const layers = store.layers.list().filter(({ diffId }) => !neededLayers.has(diffId));
  for (const layer of layers) await store.layers.remove(layer);
  const blobs = removeBlobs(store);
  removeIngested(store);
  const bytes = layers.reduce((sum, { size }) => sum + size, 0) + blobs.bytes;
  return { names, blobs: blobs.count, layers: layers.length, bytes };
}

/** diffIDs that files of the cache remember. */
function cachedLayers(home: Home): string[] {
  return readdirSync(home.cache, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    if (!entry.isFile() || !entry.name.endsWith('.json')) return [];
    const { diffId } = JSON.parse(readFileSync(join(entry.parentPath, entry.name), 'utf8')) as {
      diffId?: unknown;
    };
    return typeof diffId === 'string' ? [diffId] : [];
  });
}

function removeBlobs({ paths, index, packed, blobs }: ImageStore): { count: number; bytes: number } {
  const needed = new Set<string>();
  for (const entry of index.read()) {
    needed.add(paths.blob(entry.digest));
    // What a damaged one needs nobody knows; it has to be pulled again anyway.
    const image = unlessDamaged(
      entry.digest,
      () => packed.open(entry).packed!,
      () => {},
    );
    if (image === undefined) continue;
    for (const { digest } of [image.descriptor, image.manifest.config, ...image.manifest.layers])
      needed.add(paths.blob(digest));
  }
  let [count, bytes] = [0, 0];
  for (const path of blobs.list()) {
    if (needed.has(path)) continue;
    bytes += statSync(path).size;
    count += 1;
    rmSync(path);
  }
  return { count, bytes };
}

/** What killed processes have left. The locks go too, as nobody can hold one now. */
function removeIngested({ paths }: ImageStore): void {
  for (const name of readdirSync(paths.ingest)) rmSync(join(paths.ingest, name), { force: true });
}
