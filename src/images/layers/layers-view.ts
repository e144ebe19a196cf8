import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { join, posix } from 'node:path';
import { readXattr } from '../../files/pack/xattrs.ts';
import type { OpaqueAttribute } from '../../files/request.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import type { Layer } from './layer.ts';

/** How far a path leads: links are followed, and no name in it is one. */
export interface Resolved {
  /** The last that is there; `/` at least. */
  readonly present: string;
  /** The names that are not there below it. */
  readonly missing: readonly string[];
}

const MOST_LINKS = 40;

/** Layers as one tree, without mounting them: overlay's rules, for looking at a few paths. */
export class LayersView {
  readonly #directories: readonly string[];
  readonly #opaque: OpaqueAttribute;

  /** Bottom to top. */
  constructor(layers: readonly Pick<Layer, 'directory'>[], opaque: OpaqueAttribute) {
    this.#directories = layers.map(({ directory }) => directory).toReversed();
    this.#opaque = opaque;
  }

  /** What is at a path in which no name is a link; undefined when there is nothing. */
  lstat(path: string): Stats | undefined {
    return this.#find(path)?.stat;
  }

  /** Follows links within the layers, which are their root. */
  resolve(path: string): Resolved {
    const rest = path.split('/').filter(Boolean);
    let at = '/';
    for (let links = 0; rest.length > 0; ) {
      const name = rest.shift()!;
      if (name === '.') continue;
      const next = posix.join(at, name);
      const found = this.#find(next);
      if (found === undefined) return { present: at, missing: [name, ...rest] };
      if (!found.stat.isSymbolicLink()) {
        at = next;
        continue;
      }
      links += 1;
      if (links > MOST_LINKS) return { present: at, missing: [name, ...rest] };
      const target = readlinkSync(found.hostPath);
      if (target.startsWith('/')) at = '/';
      rest.unshift(...target.split('/').filter(Boolean));
    }
    return { present: at, missing: [] };
  }

  /** The topmost layer that has a part of the path decides about it, unless that is a directory and not an opaque one. */
  #find(path: string): { stat: Stats; hostPath: string } | undefined {
    const names = path.split('/').filter(Boolean);
    for (const directory of this.#directories) {
      const found = this.#findIn(directory, names);
      if (found !== 'below') return found;
    }
    return undefined;
  }

  #findIn(directory: string, names: readonly string[]) {
    let hidden = false;
    let hostPath = directory;
    let stat = lstatIn(hostPath);
    for (const name of names) {
      // Nothing is below what is no directory, a link or a whiteout of a lower layer included.
      if (!stat?.isDirectory()) return undefined;
      hidden ||= readXattr(hostPath, this.#opaque)?.toString('latin1') === 'y';
      hostPath = join(hostPath, name);
      stat = lstatIn(hostPath);
      if (stat === undefined) return hidden ? undefined : 'below';
    }
    return stat === undefined || isWhiteout(stat) ? undefined : { stat, hostPath };
  }
}

const isWhiteout = (stat: Stats) => stat.isCharacterDevice() && stat.rdev === 0;

function lstatIn(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // An ordinary user cannot look everywhere.
    if (isErrno(error, 'EACCES', 'ENOTDIR')) return undefined;
    throw error;
  }
}
