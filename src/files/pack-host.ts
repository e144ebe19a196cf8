import { realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { FileError } from './file-error.ts';
import { createFileOpener } from './pack/file-opener.ts';
import { packTree } from './pack/pack-tree.ts';
import { find } from './pack/walk.ts';
import { END_OF_ARCHIVE, encodeHeader, padding } from './tar/encode.ts';

/** A tar whose one top is named `.`, for a copy into a tree. */
export interface TopTar {
  readonly tar: Readable;
  readonly shape: 'top' | 'contents';
  readonly name?: string;
}

/**
 * A file or directory of the host; a link at the end of the path is followed. A path that ends in `/.` means what is in
 * the directory.
 *
 * @throws FileError `file.no-such-path`, `file.not-a-directory`
 */
export function packHost(path: string): TopTar {
  const shape = /(^|\/)\.$/.test(path) ? 'contents' : 'top';
  let real: string;
  try {
    real = realpathSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new FileError('no-such-path', `there is no ${path} on the host`, error);
  }
  if (shape === 'contents' && !statSync(real).isDirectory())
    throw new FileError('not-a-directory', `${path} is no directory`);
  return { tar: Readable.from(packed(real), { objectMode: false }), shape, name: basename(path) };
}

function* packed(path: string): Generator<Buffer> {
  using opener = createFileOpener();
  const top = find(Buffer.from(path).toString('latin1'));
  if (top === undefined) throw new FileError('no-such-path', `there is no ${path} on the host`);
  yield* packTree(top, { name: '.', opener, sparse: true });
}

/** Bytes as a file without a name. */
export function packContent(content: Uint8Array): TopTar {
  const header = encodeHeader({
    type: 'file',
    name: '.',
    size: content.length,
    mtime: BigInt(Date.now()) * 1_000_000n,
  });
  return { tar: Readable.from([header, content, padding(content.length), END_OF_ARCHIVE]), shape: 'top' };
}
