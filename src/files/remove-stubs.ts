import { lstatSync, readdirSync, rmdirSync, type Stats, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { listXattrs, readKeptXattrs, readXattr } from './pack/xattrs.ts';
import type { MountStub, OpaqueAttribute } from './request.ts';

/**
 * Removes from an overlay's upper, which is the worker's root and nobody writes to any more, what was only made to mount on it.
 *
 * Nothing that a command has put content into goes, and nothing is looked for behind a link: it may have put one in the place of a
 * directory (CVE-2024-23652).
 */
export function removeStubs(stubs: readonly MountStub[], opaque: OpaqueAttribute): void {
  for (const path of stubs.flatMap(({ made }) => made)) {
    const stat = lstatBehindNoLink(path);
    if (stat?.isDirectory()) removeEmpty(path);
    else if (stat?.isFile() && stat.size === 0) unlinkSync(path);
  }
  // Only now, because several stubs may lie in one directory.
  for (const { path, mode, uid, gid } of stubs.flatMap(({ copied }) => copied)) {
    const stat = lstatBehindNoLink(path);
    if (!stat?.isDirectory() || (stat.mode & 0o7777) !== mode || stat.uid !== uid || stat.gid !== gid)
      continue;
    // Made anew by the command, or given attributes by it.
    if (readXattr(path, opaque) !== undefined || readKeptXattrs(path, listXattrs(path)).size > 0) continue;
    removeEmpty(path);
  }
}

function lstatBehindNoLink(path: string): Stats | undefined {
  const parent = dirname(path);
  if (parent !== path && !lstatBehindNoLink(parent)?.isDirectory()) return undefined;
  return lstatSync(path, { throwIfNoEntry: false });
}

function removeEmpty(path: string): void {
  if (readdirSync(path).length === 0) rmdirSync(path);
}
