import { collectGarbage, type Garbage } from '../../images/store/collect-garbage.ts';
import type { ImageStore } from '../../images/store/image-store.ts';
import type { StoredImage } from '../../images/store/stored-image.ts';
import { isMayflyError, MayflyError } from '../../support/error.ts';
import { type Engine, openEngine } from '../engine.ts';
import { layersInUse } from './layers-in-use.ts';
import { lookup } from './local-images.ts';

export interface RemoveOptions {
  /** Take the name away even from an image that a container stands on; its layers stay as long as the container. Default: false. */
  readonly force?: boolean;
}

export interface PruneOptions {
  /**
   * False: only what has no name. True: also every image that no container stands on, and what was kept of recipes and of first
   * starts. Default: false.
   */
  readonly all?: boolean;
}

/**
 * Takes a name away from an image, or all its names when it is given by id. With the last one go the blobs and layers that
 * nothing else needs.
 *
 * @throws MayflyError `image.not-found`, `image.in-use`, `image.bad-reference`
 */
export async function removeImage(
  reference: string,
  { force = false }: RemoveOptions = {},
): Promise<Garbage> {
  const engine = openEngine();
  const image = readable(engine.images, reference);
  // Nobody knows what it stands for; the name can go all the same, which is the way to get it anew.
  if (image === undefined) return collect(engine, () => [reference]);
  const all = engine.images.list().filter(({ id, name }) => id === image.id && name !== undefined);
  const byId = image.id.startsWith(`sha256:${reference.replace(/^sha256:/, '')}`);
  const names = byId
    ? all.map(({ name }) => name!)
    : all.filter(({ name }) => name === image.name).map(({ name }) => name!);
  return collect(engine, (inUse) => {
    const isLast = names.length === all.length;
    if (isLast && !force && stands(inUse, image)) {
      throw new MayflyError('image.in-use', `a container stands on the image ${reference}`, {
        hint: 'stop and remove the container first, or use force: its layers then stay until it is gone',
      });
    }
    return names;
  });
}

/**
 * Removes what no named image, no container and no cache needs.
 *
 * @throws MayflyError `wait.timeout` while something is being pulled or started for longer than a minute
 */
export async function pruneImages({ all = false }: PruneOptions = {}): Promise<Garbage> {
  const { images, home } = openEngine();
  return collectGarbage(
    { store: images, home },
    {
      layersInUse: () => layersInUse(home),
      keepCache: !all,
      untag: (stored, inUse) =>
        all
          ? stored.flatMap((image) => (image.name === undefined || stands(inUse, image) ? [] : [image.name]))
          : [],
    },
  );
}

function collect(
  { images, home }: Engine,
  choose: (inUse: ReadonlySet<string>) => readonly string[],
): Promise<Garbage> {
  return collectGarbage(
    { store: images, home },
    { layersInUse: () => layersInUse(home), keepCache: true, untag: (_images, inUse) => choose(inUse) },
  );
}

/** Undefined for an image that is there and cannot be read. @throws MayflyError `image.not-found`, `image.bad-reference` */
function readable(images: ImageStore, reference: string): StoredImage | undefined {
  try {
    return lookup(images, reference);
  } catch (error) {
    if (!isMayflyError(error) || ['image.not-found', 'image.bad-reference'].includes(error.code)) throw error;
    return undefined;
  }
}

/** True when a container may stand on the image: the topmost layer is in use. */
function stands(inUse: ReadonlySet<string>, { config }: StoredImage): boolean {
  const top = config.rootfs.diff_ids.at(-1);
  return top !== undefined && inUse.has(top);
}
