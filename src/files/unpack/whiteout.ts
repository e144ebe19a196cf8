import { mkdirSync, rmSync } from 'node:fs';
import { call } from '../../kernel/ffi/libc.ts';
import { refuse } from '../file-error.ts';
import { pathArgument } from '../path-argument.ts';
import { nameBytes, shown } from '../tar/entry.ts';

const AT_FDCWD = -100;
const S_IFCHR = 0o020000;
const PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** A path that hides: one name of the layers below, or all that they have in a directory. */
export type Whiteout = { readonly hides: 'name' | 'directory'; readonly path: string };

/** Reads an entry's path as image-spec (layer.md, "Whiteouts") has it; undefined for an ordinary entry. */
export function whiteoutOf(path: string): Whiteout | undefined {
  const slash = path.lastIndexOf('/');
  const [directory, name] = [path.slice(0, slash), path.slice(slash + 1)];
  if (!name.startsWith(PREFIX)) return undefined;
  if (name === OPAQUE) return { hides: 'directory', path: directory };
  const hidden = name.slice(PREFIX.length);
  if (hidden === '' || hidden === '.' || hidden === '..' || hidden.startsWith(PREFIX))
    throw refuse(`${shown(path)} is no valid whiteout`);
  return { hides: 'name', path: `${directory}/${hidden}` };
}

/** Makes a whiteout as overlay understands it (filesystems/overlayfs.rst); `opaque` is the attribute for directories. */
export function makeWhiteout({ hides, path }: Whiteout, opaque: string): void {
  const target = nameBytes(path);
  if (hides === 'directory') {
    mkdirSync(target, { recursive: true });
    call(
      'lsetxattr',
      [pathArgument(path), opaque, Buffer.from('y'), 1, 0],
      `hide what lies below ${shown(path)}`,
    );
    return;
  }
  rmSync(target, { recursive: true, force: true });
  call('mknod', [AT_FDCWD, pathArgument(path), S_IFCHR, 0], `hide ${shown(path)}`);
}
