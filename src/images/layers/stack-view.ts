import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import { readXattr } from '../../files/pack/xattrs.ts';
import type { OpaqueAttribute } from '../../files/request.ts';
import { nameBytes } from '../../files/tar/entry.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';

/** One of a stack of trees. */
export interface StackedTree {
  readonly directory: string;
  /** Directories of it that are as if they were not there. */
  readonly transparent?: ReadonlySet<string>;
}

/** What a path is in a stack of trees. */
export interface Seen {
  readonly stat: BigIntStats;
  /** Target of a link. */
  readonly target: string | undefined;
  readonly tree: StackedTree;
}

/**
 * What a path is in a stack of layers, as overlay would show it; nothing on the way is followed, so nothing leads out of them.
 *
 * @param trees bottom to top
 * @param path `./var/run`, as bytes (latin1)
 */
export function lookThrough(
  trees: readonly StackedTree[],
  path: string,
  opaque: OpaqueAttribute,
): Seen | undefined {
  for (const tree of trees.toReversed()) {
    const found = lookInto(tree, path, opaque);
    if (found !== 'look below') return found;
  }
  return undefined;
}

function lookInto(tree: StackedTree, path: string, opaque: OpaqueAttribute): Seen | undefined | 'look below' {
  let hides = false;
  for (let end = path.indexOf('/', 2); ; end = path.indexOf('/', end + 1)) {
    const isLast = end < 0;
    const here = isLast ? path : path.slice(0, end);
    const stat = statOf(tree, here);
    const transparent = tree.transparent?.has(here) === true;
    if (stat === undefined || (isLast && transparent)) return hides ? undefined : 'look below';
    if (isLast) return seen(tree, here, stat);
    if (!stat.isDirectory()) return undefined;
    hides ||= !transparent && isOpaque(tree, here, opaque);
  }
}

function seen(tree: StackedTree, path: string, stat: BigIntStats): Seen | undefined {
  // A whiteout.
  if (stat.isCharacterDevice() && stat.rdev === 0n) return undefined;
  const target = stat.isSymbolicLink() ? readlinkSync(bytesOf(tree, path), 'latin1') : undefined;
  return { stat, target, tree };
}

/** Directories that belong to others of a user namespace cannot be looked into; they are taken for empty. */
function statOf(tree: StackedTree, path: string): BigIntStats | undefined {
  try {
    return lstatSync(bytesOf(tree, path), { bigint: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined;
    throw error;
  }
}

function isOpaque({ directory }: StackedTree, path: string, opaque: OpaqueAttribute): boolean {
  const whole = Buffer.from(directory).toString('latin1') + path.slice(1);
  return readXattr(whole, opaque)?.toString('latin1') === 'y';
}

function bytesOf({ directory }: StackedTree, path: string): Buffer {
  return Buffer.concat([Buffer.from(directory), nameBytes(path.slice(1))]);
}
