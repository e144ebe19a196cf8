import { MayflyError } from '../../support/error.ts';
import { type Descriptor, descriptorSchema } from '../manifest/descriptor.ts';
import { parseDocument } from '../manifest/manifest.ts';
import { checkLayers, parseOciConfig } from '../manifest/oci-config.ts';
import { chooseManifest, hostPlatform } from '../manifest/platform.ts';
import type { BlobStore } from './blob-store.ts';
import { REF_NAME } from './index-file.ts';
import type { StoredImage } from './stored-image.ts';

/** Indexes within indexes are followed so far, which is further than any tool makes them. */
const DEEPEST = 4;

/** The images that the layout has blobs of. What a digest stands for never changes, so it is read once. */
export interface PackedImages {
  /** @throws MayflyError `image.corrupt`, `image.bad-manifest`, … */
  open(entry: Descriptor): StoredImage;
}

export function openPackedImages(blobs: BlobStore): PackedImages {
  const known = new Map<string, Omit<StoredImage, 'name'>>();

  function load(entry: Descriptor): Omit<StoredImage, 'name'> {
    let descriptor = entry;
    for (let depth = 0; depth < DEEPEST; depth += 1) {
      const document = parseDocument(blobs.read(descriptor.digest), descriptor.mediaType);
      if (document.kind === 'manifest') {
        const { manifest } = document;
        const config = parseOciConfig(blobs.read(manifest.config.digest));
        checkLayers(manifest, config);
        return { id: manifest.config.digest, config, packed: { descriptor, manifest } };
      }
      // Another tool may have put an image for several platforms here.
      descriptor = chooseManifest(document.index.manifests, hostPlatform());
    }
    throw new MayflyError('image.bad-manifest', `${entry.digest} is a list of lists without end`);
  }

  return {
    open(entry) {
      let image = known.get(entry.digest);
      if (image === undefined) {
        image = load(entry);
        known.set(entry.digest, image);
      }
      return { ...image, name: entry.annotations?.[REF_NAME] };
    },
  };
}

/** The descriptor of a manifest for `index.json`. */
export function indexEntry(
  manifest: { mediaType: string; digest: string; size: number },
  annotations: Readonly<Record<string, string>>,
): Descriptor {
  const { mediaType, digest, size } = manifest;
  return descriptorSchema().parse({ mediaType, digest, size, annotations });
}
