import type { HistoryEntry } from '../../images/manifest/oci-config.ts';
import { type DiskUsage, measureStore } from '../../images/store/disk-usage.ts';
import type { ImageStore } from '../../images/store/image-store.ts';
import { problemOf, type StoreProblem } from '../../images/store/problem.ts';
import type { StoredImage } from '../../images/store/stored-image.ts';
import { verifyStore } from '../../images/store/verify-store.ts';
import { MayflyError } from '../../support/error.ts';
import { openEngine } from '../engine.ts';
import { type ImageSummary, summarise } from './image-summary.ts';
import { layersInUse } from './layers-in-use.ts';

export interface ListImagesOptions {
  /** Called for each image that cannot be read and is therefore not in the list. Default: a warning of the process. */
  readonly onDamaged?: (problem: StoreProblem) => void;
}

/** Every image in the local store, each once. */
export async function listImages({ onDamaged = warn }: ListImagesOptions = {}): Promise<ImageSummary[]> {
  const { images } = openEngine();
  const byId = new Map<string, [StoredImage, ...StoredImage[]]>();
  for (const image of images.list(onDamaged)) {
    const same = byId.get(image.id);
    if (same === undefined) byId.set(image.id, [image]);
    else same.push(image);
  }
  return [...byId.values()].map((same) => summarise(images, same));
}

/**
 * What is known of one image: by a name, an id, or the first twelve digits or more of one.
 *
 * @throws MayflyError `image.not-found`, `image.bad-reference`
 */
export async function inspectImage(reference: string): Promise<ImageSummary> {
  const { images } = openEngine();
  const { id } = lookup(images, reference);
  const same = images.list().filter((image) => image.id === id);
  return summarise(images, same as [StoredImage, ...StoredImage[]]);
}

/** The steps that made an image, oldest first. @throws MayflyError `image.not-found` */
export async function historyOf(reference: string): Promise<readonly HistoryEntry[]> {
  return (await inspectImage(reference)).history;
}

/**
 * Gives one more name to an image. An image that has it already loses it.
 *
 * @throws MayflyError `image.not-found`, `image.bad-reference`
 */
export async function tagImage(reference: string, name: string): Promise<void> {
  const { images } = openEngine();
  await images.tag(lookup(images, reference), name);
}

/**
 * Reads the whole store again: blobs, entries of the index, manifests, configurations, names, the trees of all layers, and
 * whether the layers are there that containers stand on. What is wrong is returned, and nothing is changed. It takes as long
 * as unpacking all layers does, and room for the largest of them.
 */
export async function verifyImages({
  signal,
}: {
  readonly signal?: AbortSignal;
} = {}): Promise<readonly StoreProblem[]> {
  const { images, home } = openEngine();
  const unreadable: StoreProblem[] = [];
  let inUse: ReadonlySet<string> = new Set();
  try {
    inUse = layersInUse(home);
  } catch (error) {
    unreadable.push(problemOf('a container of this home', error));
  }
  return [...unreadable, ...(await verifyStore(images, { layersInUse: inUse, signal }))];
}

function warn({ what, code, why }: StoreProblem): void {
  process.emitWarning(`the image ${what} is left out: ${why}`, { type: 'MayflyWarning', code });
}

/** What images, blobs and layers take of the disk. */
export async function diskUsage(): Promise<DiskUsage> {
  return measureStore(openEngine().images);
}

/** @throws MayflyError `image.not-found`, `image.bad-reference` */
export function lookup(images: ImageStore, reference: string): StoredImage {
  const image = images.lookup(reference);
  if (image !== undefined) return image;
  throw new MayflyError('image.not-found', `no image ${JSON.stringify(reference)} in the local store`, {
    hint: 'listImages() shows what there is, pullImage() gets more',
  });
}
