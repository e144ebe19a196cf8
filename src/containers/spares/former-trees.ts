import { join } from 'node:path';
import { removeTree } from '../../files/remove-tree.ts';
import { debugLog } from '../../support/debug.ts';
import type { ContainerParts } from '../container-parts.ts';
import { type ContainerRecord, presentCgroups } from '../container-record.ts';
import { releaseName } from '../names.ts';
import type { Run } from '../run.ts';
import { DROPPED } from './adopt-directory.ts';

const debug = debugLog('former trees');
const SIGKILL = 9;

/** Milliseconds between a hand-over and the clearing up after it: whoever was handed something is about to use it. */
const REST = 100;

/** A process tree that another one has taken over from. */
export interface FormerTree {
  readonly run: Run;
  /** What the spare was called by before, and had an address by. Default: it had none of its own. */
  readonly spare?: ContainerRecord | undefined;
}

/** What others have taken over from in one container. It stands still or has ended, and is taken away a little later. */
export class FormerTrees {
  readonly #parts: ContainerParts;
  #trees: FormerTree[] = [];
  #timer: NodeJS.Timeout | undefined;
  #clearing: Promise<void> = Promise.resolve();

  constructor(parts: ContainerParts) {
    this.#parts = parts;
  }

  add(tree: FormerTree): void {
    this.#trees.push(tree);
    this.#timer ??= setTimeout(() => void this.clear(), REST).unref();
  }

  /** Takes all of it away now; never rejects, as whatever stays goes with the container. */
  clear(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const trees = this.#trees;
    this.#trees = [];
    if (trees.length > 0) {
      this.#clearing = this.#clearing
        .then(() => this.#remove(trees))
        .catch((error: unknown) => debug('what was dropped is still there: %s', error));
    }
    return this.#clearing;
  }

  async #remove(trees: readonly FormerTree[]): Promise<void> {
    const { home, networks, rung, hierarchies } = this.#parts.engine;
    for (const { run } of trees) {
      run.supervision.ref();
      run.supervision.signal(SIGKILL);
    }
    for (const { spare } of trees) {
      if (spare === undefined) continue;
      releaseName(home, { name: spare.name, id: spare.spec.id });
      networks.release(spare.attachment, spare.spec.id);
    }
    // Their shims take their cgroups away, of which somebody may have made others of the same names by now.
    await Promise.all(trees.map(({ run }) => run.exited));
    // Written down with the next hand-over; until then it is no harm.
    this.#parts.record = {
      ...this.#parts.record,
      formerCgroups: presentCgroups(hierarchies, this.#parts.record),
    };
    await removeTree(join(home.containers, this.#parts.record.spec.id, DROPPED), rung.launcher);
  }
}
