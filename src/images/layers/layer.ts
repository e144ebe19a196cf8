/** One immutable directory tree that a rootfs is made of. */
export interface LayerTree {
  /** Of a layer its diffID; of a snapshot, which nobody has digested, `snapshot:` and its id. */
  readonly diffId: string;
  /** Absolute path of the tree. */
  readonly directory: string;
  /** Directories that it says nothing about: `./var/run`, as bytes (latin1); `.` is the root. Undefined: none, or nobody has looked. */
  readonly implied?: readonly string[];
}

/** One that has been unpacked. */
export interface Layer extends LayerTree {
  /** `sha256:` and 64 digits: the digest of the layer's uncompressed tar (image-spec, config.md). */
  readonly diffId: string;
  /** Bytes of file content. */
  readonly size: number;
}

/**
 * Which of a stack of trees, bottom to top, says what its root is: the uppermost that does. Undefined for no trees.
 *
 * What goes on top of them has to be the same, as the root of an overlay is what its uppermost directory is.
 */
export function rootOf(trees: readonly LayerTree[]): LayerTree | undefined {
  return trees.findLast(({ implied }) => implied?.includes(ROOT) !== true) ?? trees[0];
}

const ROOT = '.';
