import type { BigIntStats } from 'node:fs';
import { posix } from 'node:path';
import type { OpaqueAttribute } from '../../files/request.ts';
import type { LayerTree } from './layer.ts';
import { lookThrough, type Seen, type StackedTree } from './stack-view.ts';

/** How far a path leads: links are followed, and no name in it is one. */
export interface Resolved {
  /** The last that is there; `/` at least. */
  readonly present: string;
  /** The names that are not there below it. */
  readonly missing: readonly string[];
}

const MOST_LINKS = 40;

/** Layers as one tree, without mounting them, and links in it as its own: for looking at a few paths. */
export class LayersView {
  readonly #trees: readonly StackedTree[];
  readonly #opaque: OpaqueAttribute;

  /** Bottom to top. */
  constructor(layers: readonly Pick<LayerTree, 'directory'>[], opaque: OpaqueAttribute) {
    this.#trees = layers;
    this.#opaque = opaque;
  }

  /** What is at a path in which no name is a link; undefined when there is nothing. */
  lstat(path: string): BigIntStats | undefined {
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
      const target = Buffer.from(found.target!, 'latin1').toString();
      if (target.startsWith('/')) at = '/';
      rest.unshift(...target.split('/').filter(Boolean));
    }
    return { present: at, missing: [] };
  }

  #find(path: string): Seen | undefined {
    const names = path.split('/').filter(Boolean).join('/');
    return lookThrough(this.#trees, `./${Buffer.from(names).toString('latin1')}`, this.#opaque);
  }
}
