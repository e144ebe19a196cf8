import { FileError } from '../file-error.ts';
import type { EntryHeader } from '../tar/encode.ts';
import { shown } from '../tar/entry.ts';
import type { Found } from './walk.ts';
import { readXattr } from './xattrs.ts';

/** Attributes by which an upper says that a file's content or name lies elsewhere; we mount without either feature. */
const ELSEWHERE = /^(trusted|user)\.overlay\.(redirect|metacopy)$/;

/**
 * What overlay's own marks are in a layer (image-spec, layer.md, "Whiteouts"): an entry instead of the path's own, or one
 * after a directory's. Undefined for an ordinary path.
 *
 * @throws FileError `file.failed` for an upper that cannot be read without the layers below it
 */
export function layerForm(
  { path, stat, name, xattrs }: Found & { readonly name: string; readonly xattrs: readonly string[] },
  opaque: string,
): { readonly whiteout?: EntryHeader; readonly opaque?: EntryHeader } | undefined {
  if (stat.isCharacterDevice() && stat.rdev === 0n)
    return { whiteout: { type: 'file', name: name.replace(/([^/]+)$/, '.wh.$1') } };
  const elsewhere = xattrs.find((attribute) => ELSEWHERE.test(attribute));
  if (elsewhere !== undefined) throw new FileError('failed', `${shown(path)} has the attribute ${elsewhere}`);
  if (stat.isDirectory() && xattrs.includes(opaque) && readXattr(path, opaque)?.toString('latin1') === 'y')
    return { opaque: { type: 'file', name: `${name}.wh..wh..opq` } };
  return undefined;
}
