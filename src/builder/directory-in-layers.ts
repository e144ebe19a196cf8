import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { readXattr } from '../files/pack/xattrs.ts';
import type { OpaqueAttribute } from '../files/request.ts';
import type { Layer } from '../images/layers/layer.ts';
import { isErrno } from '../kernel/ffi/system-error.ts';

/**
 * Whether layers, bottom to top, have a directory at a path, without mounting them. `unsure` where a link is on the way.
 *
 * The topmost layer that has a part of the path decides about it, unless it is a directory and not an opaque one.
 */
export function directoryInLayers(
  layers: readonly Layer[],
  { path, opaque }: { path: string; opaque: OpaqueAttribute },
): boolean | 'unsure' {
  const parts = path.split('/').filter(Boolean);
  for (const { directory } of layers.toReversed()) {
    const found = lookInLayer(directory, { parts, opaque });
    if (found !== 'below') return found;
  }
  return parts.length === 0;
}

function lookInLayer(
  directory: string,
  { parts, opaque }: { parts: readonly string[]; opaque: OpaqueAttribute },
): boolean | 'unsure' | 'below' {
  let hidden = false;
  let at = directory;
  for (const part of parts) {
    at = join(at, part);
    const stat = lstatIn(at);
    if (stat === undefined) return hidden ? false : 'below';
    if (stat.isSymbolicLink()) return 'unsure';
    // A whiteout is a character device.
    if (!stat.isDirectory()) return false;
    hidden ||= readXattr(at, opaque)?.toString('latin1') === 'y';
  }
  return true;
}

function lstatIn(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isErrno(error, 'EACCES')) return undefined;
    throw error;
  }
}
