import { existsSync, lstatSync, mkdirSync, readlinkSync } from 'node:fs';
import { resolveLinks } from '../resolve-links.ts';
import { nameBytes } from '../tar/entry.ts';
import { setTime } from './metadata.ts';

/**
 * Directories of a layer that entries stand in and that have no entry themselves. What they are is up to the layers below,
 * which nobody knows yet: until then they are ordinary directories.
 */
export class ImpliedDirectories {
  /** Of the same archive always the same: that of the first entry, instead of the clock's. */
  readonly #times = new Map<string, bigint>();

  /** Makes a directory unless there is one. Where a link leads nowhere, what it leads to is made. */
  make(path: string, time: bigint): void {
    if (path === '.' || existsSync(nameBytes(path))) return;
    const real = resolveLinks(path, linkAt);
    if (real !== path) {
      this.make(real, time);
      return;
    }
    this.make(path.slice(0, path.lastIndexOf('/')), time);
    mkdirSync(nameBytes(path), { mode: 0o755 });
    this.#times.set(path, time);
  }

  /** The entry of the directory has come after all. */
  forget(path: string): void {
    if (this.#times.size > 0) this.#times.delete(resolveLinks(path, linkAt));
  }

  /** When all entries are there: sets the times, and returns the paths. */
  finish(): string[] {
    const remaining = [...this.#times].filter(([path]) => isDirectory(path)).toReversed();
    for (const [path, time] of remaining) setTime(path, time);
    return remaining.map(([path]) => path).toSorted();
  }
}

/** A later entry may have replaced it, or something above it. */
function isDirectory(path: string): boolean {
  const stat = lstatSync(nameBytes(path), { throwIfNoEntry: false });
  return stat?.isDirectory() === true && resolveLinks(path, linkAt) === path;
}

function linkAt(path: string): string | undefined {
  const bytes = nameBytes(path);
  const stat = lstatSync(bytes, { throwIfNoEntry: false });
  return stat?.isSymbolicLink() ? readlinkSync(bytes, 'latin1') : undefined;
}
