import { type LockedFile, type LockOptions, lockFile } from '../../kernel/processes/file-lock.ts';
import { MayflyError } from '../../support/error.ts';
import type { Home } from '../../support/home.ts';
import type { LayerTree } from '../layers/layer.ts';
import { type LayerFiles, type LayerStore, openLayerStore } from '../layers/layer-store.ts';
import type { Descriptor } from '../manifest/descriptor.ts';
import type { HistoryEntry } from '../manifest/oci-config.ts';
import { formatReference, parseReference } from '../reference/parse.ts';
import { type BlobStore, openBlobStore } from './blob-store.ts';
import type { Image, ImageConfig } from './image.ts';
import { type IndexFile, openIndexFile, REF_NAME, REGISTRY_DIGEST } from './index-file.ts';
import { openStorePaths, type StorePaths } from './layout.ts';
import { listStored } from './list-images.ts';
import { type LocalImages, newConfig, openLocalImages } from './local-images.ts';
import { openPackedImages, type PackedImages } from './packed-images.ts';
import type { StoreProblem } from './problem.ts';
import type { StoredImage } from './stored-image.ts';
import { unpackImage } from './unpack-image.ts';

export interface NewImage {
  /** Name to give it; undefined for an image that is only known by its id. */
  readonly reference: string | undefined;
  readonly config: ImageConfig;
  /** Bottom to top. */
  readonly layers: readonly LayerTree[];
  /** RFC 3339. Default: none, so that the same content makes the same image. */
  readonly created?: string;
  readonly author?: string;
  readonly history?: readonly HistoryEntry[];
}

/**
 * The images of one home. Those with blobs are in an OCI layout; those made here are a configuration and unpacked layers,
 * until somebody pushes or saves them. A name stands for one image, whichever kind it is.
 */
export interface ImageStore {
  readonly paths: StorePaths;
  readonly layers: LayerStore;
  readonly blobs: BlobStore;
  readonly index: IndexFile;
  readonly packed: PackedImages;
  readonly local: LocalImages;
  /** Keeps what is in the store from being collected as garbage until it is released. */
  hold(options?: LockOptions): Promise<LockedFile>;
  /** By reference, by id, or by the first twelve digits or more of one. @throws MayflyError `image.corrupt` */
  lookup(referenceOrId: string): StoredImage | undefined;
  /** The image with its layers unpacked. @throws MayflyError `image.corrupt`, `layer.*` */
  open(image: StoredImage, options?: { readonly signal?: AbortSignal | undefined }): Promise<Image>;
  /** {@link lookup} and {@link open}. @throws MayflyError `image.bad-reference`, `image.corrupt`, `layer.*` */
  find(
    reference: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Image | undefined>;
  /** An image out of layers that are in the store. @throws MayflyError `image.bad-reference` for a name with a digest */
  put(image: NewImage): Promise<Image>;
  /** Gives one more name to an image; whatever had it loses it. */
  tag(image: StoredImage, reference: string): Promise<void>;
  /** Names a manifest whose blobs are all there. */
  addPacked(entry: Descriptor, names: readonly string[], registryDigest?: string): Promise<void>;
  /** Takes a name away; blobs and layers stay until garbage is collected. Returns whether there was such a name. */
  remove(reference: string): Promise<boolean>;
  /** Every image once per name, and once if it has none. Those that are damaged are left out, and reported. */
  list(report?: (problem: StoreProblem) => void): StoredImage[];
}

export function openImageStore(home: Home, files: LayerFiles = {}): ImageStore {
  const paths = openStorePaths(home);
  const layers = openLayerStore(home, files);
  const blobs = openBlobStore(paths);
  const index = openIndexFile(paths);
  const packed = openPackedImages(blobs);
  const local = openLocalImages(paths);

  const canonical = (reference: string) => formatReference(parseReference(reference));
  const nameOf = (entry: Descriptor) => entry.annotations?.[REF_NAME];

  /** Names that other tools wrote are spelled in their own ways. */
  function isNamed(entry: Descriptor, name: string): boolean {
    const own = nameOf(entry);
    if (own === undefined || own === name) return own === name;
    try {
      return canonical(own) === name;
    } catch {
      return false;
    }
  }

  function findEntry(reference: string): Descriptor | undefined {
    const { registry, repository, digest } = parseReference(reference);
    const entries = index.read();
    if (digest === undefined) return entries.find((entry) => isNamed(entry, canonical(reference)));
    return entries.find((entry) => {
      const name = nameOf(entry);
      const inRepository = [':', '@'].some((mark) => name?.startsWith(`${registry}/${repository}${mark}`));
      return inRepository && [entry.digest, entry.annotations?.[REGISTRY_DIGEST]].includes(digest);
    });
  }

  function findById(text: string): StoredImage | undefined {
    const digits = /^(?:sha256:)?([0-9a-f]{12,64})$/.exec(text)?.[1];
    if (digits === undefined) return undefined;
    return list().find(({ id }) => id.startsWith(`sha256:${digits}`));
  }

  const list: ImageStore['list'] = (report) => listStored({ index, packed, local, paths }, report);

  function lookup(referenceOrId: string): StoredImage | undefined {
    if (/^(?:sha256:)?[0-9a-f]{64}$/.test(referenceOrId)) return findById(referenceOrId);
    const entry = findEntry(referenceOrId);
    if (entry !== undefined) return packed.open(entry);
    return local.find(canonical(referenceOrId)) ?? findById(referenceOrId);
  }

  const open = (image: StoredImage, options = {}) => unpackImage({ layers, blobs, paths }, image, options);

  async function addPacked(entry: Descriptor, names: readonly string[], registryDigest?: string) {
    const annotations = {
      ...entry.annotations,
      ...(registryDigest ? { [REGISTRY_DIGEST]: registryDigest } : {}),
    };
    await index.update((entries) => [
      ...entries.filter((other) => !names.some((name) => isNamed(other, name))),
      ...(names.length === 0 ? [entry] : []),
      ...names.map((name) => ({ ...entry, annotations: { ...annotations, [REF_NAME]: name } })),
    ]);
    // After it, so that at no instant the name stands for nothing.
    for (const name of names) local.removeName(name);
  }

  async function nameLocal(name: string, id: string): Promise<void> {
    local.name(name, id);
    await index.update((entries) => entries.filter((entry) => !isNamed(entry, name)));
  }

  return {
    paths,
    layers,
    blobs,
    index,
    packed,
    local,
    hold: (options) => lockFile(paths.holdLock, { ...options, shared: true }),
    lookup,
    open,
    async find(reference, options) {
      const image = lookup(reference);
      return image && open(image, options);
    },
    async put({ reference, config, layers: stack, ...details }) {
      const name = reference === undefined ? undefined : newName(reference);
      const id = local.put(newConfig(stack, { config, ...details }));
      if (name !== undefined) await nameLocal(name, id);
      return { id, references: name === undefined ? [] : [name], config, layers: stack };
    },
    async tag({ id, packed: image }, reference) {
      const name = newName(reference);
      if (image === undefined) await nameLocal(name, id);
      else await addPacked(image.descriptor, [name]);
    },
    addPacked,
    async remove(reference) {
      const name = canonical(reference);
      const entry = findEntry(reference);
      const isGone = (other: Descriptor) => entry !== undefined && nameOf(other) === nameOf(entry);
      await index.update((entries) => entries.filter((other) => !isGone(other)));
      return local.removeName(name) || entry !== undefined;
    },
    list,
  };
}

/** A name for an image, in full. @throws MayflyError `image.bad-reference`, for one with a digest too: that is not ours to give */
function newName(reference: string): string {
  const parsed = parseReference(reference);
  if (parsed.digest === undefined) return formatReference(parsed);
  throw new MayflyError(
    'image.bad-reference',
    `an image cannot be given the name ${reference}: it holds a digest`,
    { hint: 'give it a name and a tag' },
  );
}
