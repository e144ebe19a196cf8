import { mkdirSync, rmSync } from 'node:fs';
import { call } from '../../kernel/ffi/libc.ts';
import { refused } from './layer-error.ts';

const AT_FDCWD = -100;
const S_IFCHR = 0o020000;
const PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** The attribute by which overlay hides what lies below a directory (filesystems/overlayfs.rst). */
export const OPAQUE_XATTR = 'trusted.overlay.opaque';

/** A path that hides: one name of the layers below, or all that they have in a directory. */
export type Whiteout = { readonly hides: 'name' | 'directory'; readonly path: string };

/** Reads an entry's name as image-spec (layer.md, "Whiteouts") has it; undefined for an ordinary entry. */
export function whiteoutOf(path: string): Whiteout | undefined {
  const slash = path.lastIndexOf('/');
  const [directory, name] = [path.slice(0, slash), path.slice(slash + 1)];
  if (!name.startsWith(PREFIX)) return undefined;
  if (name === OPAQUE) return { hides: 'directory', path: directory || '/' };
  const hidden = name.slice(PREFIX.length);
  if (hidden === '' || hidden === '.' || hidden === '..' || hidden.startsWith(PREFIX)) {
    throw refused(`${JSON.stringify(path)} is no valid whiteout`);
  }
  return { hides: 'name', path: `${directory}/${hidden}` };
}

/** Makes a whiteout as overlay understands it. */
export function makeWhiteout({ hides, path }: Whiteout): void {
  if (hides === 'directory') {
    mkdirSync(path, { recursive: true });
    call('lsetxattr', [path, OPAQUE_XATTR, Buffer.from('y'), 1, 0], `hide what lies below ${path}`);
    return;
  }
  rmSync(path, { recursive: true, force: true });
  call('mknod', [AT_FDCWD, path, S_IFCHR, 0], `hide ${path}`);
}
