/** One immutable directory tree that a rootfs is made of. */
export interface LayerTree {
  /** Of a layer its diffID; of a snapshot, which nobody has digested, `snapshot:` and its id. */
  readonly diffId: string;
  /** Absolute path of the tree. */
  readonly directory: string;
}

/** One that has been unpacked. */
export interface Layer extends LayerTree {
  /** `sha256:` and 64 digits: the digest of the layer's uncompressed tar (image-spec, config.md). */
  readonly diffId: string;
  /** Bytes of file content. */
  readonly size: number;
  /** Directories that the layer says nothing about: `./var/run`, as bytes (latin1). Undefined: none, or nobody has looked. */
  readonly implied?: readonly string[];
}
