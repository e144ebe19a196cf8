import { realpathSync } from 'node:fs';
import { FileError, refuse } from './file-error.ts';
import type { FileOpener } from './pack/file-opener.ts';
import { packTree } from './pack/pack-tree.ts';
import { find, isKernelView } from './pack/walk.ts';
import type { CopyOut } from './request.ts';
import { nameBytes, shown } from './tar/entry.ts';

/** The tar that a copy out of the root gives. @throws FileError `file.no-such-path`, `file.is-a-directory`, `file.refused` */
export function copyOut(
  { path, name, onlyFile = false, followLink = onlyFile, sparse = false }: CopyOut,
  opener: FileOpener,
): Iterable<Buffer> {
  const bytes = Buffer.from(path).toString('latin1');
  const top = find(followLink ? targetOf(bytes) : asDirectory(bytes));
  if (top === undefined) throw new FileError('no-such-path', `there is no ${shown(bytes)}`);
  if (onlyFile && top.stat.isDirectory())
    throw new FileError('is-a-directory', `${shown(bytes)} is a directory`);
  if (onlyFile && !top.stat.isFile()) throw refuse(`${shown(bytes)} is no regular file`);
  if (!top.stat.isSymbolicLink() && isKernelView(top.path))
    throw refuse(`${shown(bytes)} is no file but a view of the kernel`);
  return packTree(top, { name: Buffer.from(name).toString('latin1'), opener, sparse });
}

/** A path that ends with a slash is what that directory holds. */
const asDirectory = (path: string) => path.replace(/(?<=[^/])\/+(\.?)$/, '/.');

/** Where a path leads: as everything here, within the root, which is this process's. */
function targetOf(path: string): string {
  const target = realpathSync(nameBytes(path), 'latin1');
  return /\/\.?$/.test(path) ? asDirectory(`${target}/`) : target;
}
