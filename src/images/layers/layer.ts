/** One unpacked, immutable directory tree. */
export interface Layer {
  /** `sha256:` and 64 digits: the digest of the layer's uncompressed tar (image-spec, config.md). */
  readonly diffId: string;
  /** Absolute path of the tree. */
  readonly directory: string;
  /** Bytes of file content. */
  readonly size: number;
}
