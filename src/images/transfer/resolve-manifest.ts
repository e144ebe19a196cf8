import { MayflyError } from '../../support/error.ts';
import type { Descriptor } from '../manifest/descriptor.ts';
import { type Manifest, parseDocument } from '../manifest/manifest.ts';
import { chooseManifest, type Platform } from '../manifest/platform.ts';
import type { FetchedManifest, RegistryClient } from '../registry/registry-client.ts';

/** An index may point to an index (image-spec), but nobody does it more than once. */
const DEEPEST = 4;

/** What a reference stands for on one platform, read and checked; the layers are still to be had. */
export interface ResolvedManifest {
  /** Digest that the registry has for the reference: of the index, where there is one. */
  readonly registryDigest: string;
  readonly manifest: Manifest;
  readonly manifestBytes: Buffer;
  readonly descriptor: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;
}

interface Wanted {
  readonly tagOrDigest: string;
  readonly platform: Platform;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Follows a reference through indexes to the manifest for a platform.
 *
 * @throws MayflyError `image.no-such-platform`, `image.bad-manifest`, `image.ambiguous-manifest`, `registry.*`
 */
export async function resolveManifest(
  client: RegistryClient,
  { tagOrDigest, platform, signal }: Wanted,
): Promise<ResolvedManifest> {
  let fetched: FetchedManifest = await client.getManifest(tagOrDigest, { signal });
  const registryDigest = fetched.digest;
  let announced = fetched.mediaType;
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    const document = parseDocument(fetched.bytes, announced);
    if (document.kind === 'manifest') {
      const { mediaType, manifest } = document;
      const descriptor = { mediaType, digest: fetched.digest, size: fetched.bytes.length };
      return { registryDigest, manifest, manifestBytes: fetched.bytes, descriptor };
    }
    const chosen = chooseManifest(document.index.manifests, platform);
    fetched = await client.getManifest(chosen.digest, { signal });
    if (fetched.bytes.length !== chosen.size) {
      throw new MayflyError(
        'image.bad-manifest',
        `the index says that ${chosen.digest} has ${chosen.size} bytes, and it has ${fetched.bytes.length}`,
      );
    }
    // The descriptor's word counts, since its digest vouches for it.
    announced = chosen.mediaType;
  }
  throw new MayflyError('image.bad-manifest', `the index leads to an index, more than ${DEEPEST} times`);
}
