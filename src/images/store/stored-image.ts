import type { Descriptor } from '../manifest/descriptor.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { OciConfig } from '../manifest/oci-config.ts';

/** What the store knows of an image, whether or not its layers are unpacked. */
export interface StoredImage {
  /** `sha256:…`, the digest of the configuration. */
  readonly id: string;
  /** The one name that it was found under, in full; undefined for one that has none. */
  readonly name: string | undefined;
  readonly config: OciConfig;
  /** Manifest and blobs; undefined for an image that was made here and of which only the unpacked layers exist. */
  readonly packed: PackedImage | undefined;
}

export interface PackedImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}
