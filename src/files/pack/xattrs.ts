import { call } from '../../kernel/ffi/libc.ts';
import { pathArgument } from '../path-argument.ts';
import { shown } from '../tar/entry.ts';
import { isKeptXattr } from '../unpack/metadata.ts';

const MAX = 65536;
/** File systems without attributes, and files that have gone. */
const NONE = ['ENOTSUP', 'ENODATA', 'ENOENT'];

const names = Buffer.alloc(MAX);
const value = Buffer.alloc(MAX);

/** Names of all extended attributes of a path itself; a link is not followed. */
export function listXattrs(path: string): string[] {
  const length = call(
    'llistxattr',
    [pathArgument(path), names, MAX],
    `list attributes of ${shown(path)}`,
    NONE,
  );
  return length <= 0 ? [] : names.toString('latin1', 0, length - 1).split('\0');
}

export function readXattr(path: string, name: string): Buffer | undefined {
  const length = call(
    'lgetxattr',
    [pathArgument(path), name, value, MAX],
    `read ${name} of ${shown(path)}`,
    NONE,
  );
  return length < 0 ? undefined : Buffer.from(value.subarray(0, length));
}

/** The attributes that travel with a file. */
export function readKeptXattrs(path: string, present: readonly string[]): Map<string, Buffer> {
  const kept = new Map<string, Buffer>();
  for (const name of present.filter(isKeptXattr)) {
    const found = readXattr(path, name);
    if (found !== undefined) kept.set(name, found);
  }
  return kept;
}
