import { lstatSync } from 'node:fs';
import { nameBytes } from '../tar/entry.ts';
import { setDirectory } from './metadata.ts';

/** Where the entries of a layer go because of the layers below it. Paths begin with `./` and are bytes, as those of entries. */
export interface Placement {
  /** Directories by where they lead: what is in the first goes into the second. */
  readonly redirect: readonly (readonly [from: string, to: string])[];
  /** Attributes of directories that the layer says nothing about. */
  readonly adopt: readonly {
    readonly path: string;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
  }[];
}

/** A path with the longest of its parents that leads elsewhere replaced. */
export function redirected(path: string, targets: ReadonlyMap<string, string>): string {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const target = targets.get(path.slice(0, end));
    if (target !== undefined) return target + path.slice(end);
  }
  return path;
}

export function adoptAttributes({ adopt }: Placement): void {
  for (const { path, ...attributes } of adopt) {
    if (lstatSync(nameBytes(path), { throwIfNoEntry: false })?.isDirectory() === true)
      setDirectory(path, { ...attributes, xattrs: new Map() });
  }
}
