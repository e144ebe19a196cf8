import type { HistoryEntry } from '../../images/manifest/oci-config.ts';
import { formatPlatform } from '../../images/manifest/platform.ts';
import type { ImageConfig } from '../../images/store/image.ts';
import type { ImageStore } from '../../images/store/image-store.ts';
import { REGISTRY_DIGEST } from '../../images/store/index-file.ts';
import type { StoredImage } from '../../images/store/stored-image.ts';

/** An image in the local store. */
export interface ImageSummary {
  /** `sha256:…`, the digest of its configuration, as Docker has it. */
  readonly id: string;
  /** All its names, in full: `docker.io/library/postgres:17`. */
  readonly references: readonly string[];
  /** The same with the digest that the registry has for each: `docker.io/library/postgres@sha256:…`. */
  readonly repoDigests: readonly string[];
  /** `linux/amd64` */
  readonly platform: string;
  /** RFC 3339; undefined where the image does not say. */
  readonly created: string | undefined;
  readonly author: string | undefined;
  readonly config: ImageConfig;
  /** diffIDs, bottom to top. */
  readonly layers: readonly string[];
  /** Bytes of the files in its layers; of those that are not unpacked, of their blobs. */
  readonly size: number;
  /** Bytes of each of `layers`. */
  readonly layerSizes: readonly number[];
  /** How it was made, oldest first; empty where the image does not say. */
  readonly history: readonly HistoryEntry[];
}

/** All names of one image together. */
export function summarise(store: ImageStore, images: readonly [StoredImage, ...StoredImage[]]): ImageSummary {
  const [{ id, config, packed }] = images;
  const { rootfs, created, author, history } = config;
  const references = images.flatMap(({ name }) => name ?? []);
  const sizes = rootfs.diff_ids.map(
    (diffId, i) => store.layers.get(diffId)?.size ?? packed?.manifest.layers[i]?.size ?? 0,
  );
  return {
    id,
    references,
    repoDigests: images.flatMap(({ name, packed: own }) => {
      const digest = own?.descriptor.annotations?.[REGISTRY_DIGEST];
      return name === undefined || digest === undefined
        ? []
        : [`${name.replace(/[:@][^/]*$/, '')}@${digest}`];
    }),
    platform: formatPlatform(config),
    created,
    author,
    config: config.config ?? {},
    layers: rootfs.diff_ids,
    size: [...new Map(rootfs.diff_ids.map((diffId, i) => [diffId, sizes[i]!])).values()].reduce(
      (sum, size) => sum + size,
      0,
    ),
    layerSizes: sizes,
    history: history ?? [],
  };
}
