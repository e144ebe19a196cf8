import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MayflyError } from '../../support/error.ts';
import { isDigest, parseDigest } from '../digest.ts';
import { verifyLayer } from '../layers/verify-layer.ts';
import type { ImageStore } from './image-store.ts';
import { PACKED_FROM } from './index-file.ts';
import { listStored } from './list-images.ts';
import { openPackedImages } from './packed-images.ts';
import { problemOf, type StoreProblem, unlessDamaged } from './problem.ts';
import type { StoredImage } from './stored-image.ts';

export interface VerifyOptions {
  /** diffIDs of layers that containers stand on. */
  readonly layersInUse?: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
}

type Report = (problem: StoreProblem) => void;

/**
 * Reads all of the store again: each blob, each entry of the index with its manifest, configuration and blobs, each name,
 * each layer's tree. Nothing is changed. Meanwhile images may come, but none is collected as garbage.
 *
 * What is not needed by any image is no problem, it is garbage.
 */
export async function verifyStore(
  store: ImageStore,
  { layersInUse = new Set(), signal }: VerifyOptions = {},
): Promise<StoreProblem[]> {
  using _hold = await store.hold({ signal });
  const problems: StoreProblem[] = [];
  const report: Report = (problem) => problems.push(problem);
  const whole = new Set<string>();
  for (const path of store.blobs.list()) {
    const problem = await verifyBlob(path, signal);
    if (problem === undefined) whole.add(path);
    else report(problem);
  }
  // What this process remembers of manifests says nothing about what is on disk now.
  const fresh = { ...store, packed: openPackedImages(store.blobs) };
  const images = [...listStored(fresh, report), ...packedHere(fresh, report)];
  for (const image of images) unlessDamaged(image.name ?? image.id, () => verifyImage(store, image), report);
  const openTar = (diffId: string) => {
    const digest = blobOfLayer(images, diffId);
    return digest === undefined || !whole.has(store.paths.blob(digest))
      ? undefined
      : store.blobs.stream(digest);
  };
  await verifyLayers(store, { openTar, report, signal });
  for (const diffId of layersInUse)
    if (
      unlessDamaged(
        diffId,
        () => store.layers.get(diffId),
        () => {},
      ) === undefined
    )
      report({
        what: diffId,
        code: 'layer.gone',
        why: 'a container stands on this layer, and it is not usable',
      });
  return problems;
}

async function verifyBlob(path: string, signal: AbortSignal | undefined): Promise<StoreProblem | undefined> {
  const digest = `${basename(dirname(path))}:${basename(path)}`;
  if (!isDigest(digest)) return { what: path, code: 'image.corrupt', why: 'its name is no digest' };
  const { algorithm, encoded } = parseDigest(digest);
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash, signal ? { signal } : {});
  if (hash.digest('hex') === encoded) return undefined;
  return { what: digest, code: 'image.corrupt', why: 'its content has another digest' };
}

/** What was packed of images that were made here. */
function packedHere({ index, packed }: ImageStore, report: Report): StoredImage[] {
  const entries =
    unlessDamaged(
      '',
      () => index.read(),
      () => {},
    ) ?? [];
  return entries.flatMap((entry) => {
    if (entry.annotations?.[PACKED_FROM] === undefined) return [];
    return unlessDamaged(entry.digest, () => packed.open(entry), report) ?? [];
  });
}

/** @throws MayflyError `image.corrupt` */
function verifyImage({ blobs, layers }: ImageStore, { packed, config }: StoredImage): void {
  for (const blob of packed === undefined
    ? []
    : [packed.descriptor, packed.manifest.config, ...packed.manifest.layers]) {
    if (blobs.has(blob)) continue;
    throw new MayflyError('image.corrupt', `the blob ${blob.digest} is not there, or not of its size`);
  }
  if (packed !== undefined) return;
  for (const diffId of config.rootfs.diff_ids) {
    if (layers.get(diffId) === undefined)
      throw new MayflyError('image.corrupt', `the layer ${diffId} is gone, and it has no blob`);
  }
}

/** The digest of the blob that a layer came from. */
function blobOfLayer(images: readonly StoredImage[], diffId: string): string | undefined {
  for (const { packed, config } of images) {
    const digest = packed?.manifest.layers[config.rootfs.diff_ids.indexOf(diffId)]?.digest;
    if (digest !== undefined) return digest;
  }
  return undefined;
}

async function verifyLayers(
  { layers }: ImageStore,
  {
    openTar,
    report,
    signal,
  }: {
    openTar: (diffId: string) => Readable | undefined;
    report: Report;
    signal: AbortSignal | undefined;
  },
): Promise<void> {
  for (const layer of layers.list(report)) {
    try {
      await verifyLayer(layers, layer, { openTar: () => openTar(layer.diffId), signal });
    } catch (error) {
      report(problemOf(layer.diffId, error));
    }
  }
}
