import { createHash, type Hash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { call } from '../../kernel/ffi/libc.ts';
import type { LayerTaskOptions } from './layer-store.ts';
import { END_OF_ARCHIVE, type EntryHeader, encodeHeader, padding } from './tar-header.ts';
import { OPAQUE_XATTR } from './whiteout.ts';

const CHUNK = 1 << 20;
/** So many entries between two looks at the rest of the world. */
const BURST = 64;

/**
 * The diffID of an overlay's upper directory: the digest of the tar that it would make, names sorted, times in seconds.
 *
 * Overlay's whiteouts become those of image-spec. Sockets are left out, as a tar cannot hold them.
 */
export async function digestUpper(
  upper: string,
  { signal, onProgress }: LayerTaskOptions,
): Promise<{ diffId: string; size: number }> {
  const digest = new UpperDigest(upper);
  let entries = 0;
  for (const path of walk(upper, '')) {
    digest.add(path);
    entries += 1;
    if (entries % BURST !== 0) continue;
    onProgress?.(digest.size);
    await setImmediate();
    signal?.throwIfAborted();
  }
  return { diffId: digest.finish(), size: digest.size };
}

function* walk(upper: string, directory: string): Iterable<string> {
  for (const name of readdirSync(join(upper, directory)).sort()) {
    const path = join(directory, name);
    yield path;
    if (lstatSync(join(upper, path)).isDirectory()) yield* walk(upper, path);
  }
}

class UpperDigest {
  /** Bytes of file content so far. */
  size = 0;
  readonly #upper: string;
  readonly #hash: Hash = createHash('sha256');
  /** First path of every inode that has several. */
  readonly #links = new Map<string, string>();
  readonly #buffer = Buffer.allocUnsafe(CHUNK);

  constructor(upper: string) {
    this.#upper = upper;
  }

  add(path: string): void {
    const full = join(this.#upper, path);
    const stat = lstatSync(full);
    const mtime = new Date(Math.floor(stat.mtimeMs / 1000) * 1000);
    const header = { name: path, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtime };
    if (stat.isFile()) this.#addFile(path, stat, header);
    else if (stat.isDirectory()) this.#addDirectory(path, { ...header, name: `${path}/` });
    else if (stat.isSymbolicLink()) this.#put({ ...header, type: 'symlink', linkname: readlinkSync(full) });
    else if (stat.isFIFO()) this.#put({ ...header, type: 'fifo' });
    else if (stat.isCharacterDevice() && stat.rdev === 0) this.#put(whiteout(path));
    else if (stat.isCharacterDevice())
      this.#put({ ...header, type: 'character-device', ...deviceNumbers(stat) });
    else if (stat.isBlockDevice()) this.#put({ ...header, type: 'block-device', ...deviceNumbers(stat) });
  }

  finish(): string {
    this.#hash.update(END_OF_ARCHIVE);
    return `sha256:${this.#hash.digest('hex')}`;
  }

  #put(header: EntryHeader): void {
    this.#hash.update(encodeHeader(header));
  }

  #addDirectory(path: string, header: Omit<EntryHeader, 'type'>): void {
    this.#put({ ...header, type: 'directory' });
    if (isOpaque(join(this.#upper, path)))
      this.#put({ name: join(path, '.wh..wh..opq'), type: 'file', mtime: new Date(0) });
  }

  #addFile(path: string, stat: Stats, header: Omit<EntryHeader, 'type'>): void {
    const inode = `${stat.dev}:${stat.ino}`;
    const first = this.#links.get(inode);
    if (first !== undefined) {
      this.#put({ ...header, type: 'link', linkname: first });
      return;
    }
    if (stat.nlink > 1) this.#links.set(inode, path);
    this.#put({ ...header, type: 'file', size: stat.size });
    const fd = openSync(join(this.#upper, path), 'r');
    try {
      for (let read = readSync(fd, this.#buffer); read > 0; read = readSync(fd, this.#buffer)) {
        this.#hash.update(this.#buffer.subarray(0, read));
      }
    } finally {
      closeSync(fd);
    }
    this.#hash.update(padding(stat.size));
    this.size += stat.size;
  }
}

function whiteout(path: string): EntryHeader {
  return { name: path.replace(/([^/]+)$/, '.wh.$1'), type: 'file', mtime: new Date(0) };
}

/** The parts of a dev_t as glibc's makedev puts them together. */
function deviceNumbers({ rdev }: Stats): { devmajor: number; devminor: number } {
  return { devmajor: (rdev >> 8) & 0xfff, devminor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) };
}

function isOpaque(path: string): boolean {
  const value = Buffer.alloc(1);
  const tolerated = ['ENODATA', 'ENOTSUP', 'ERANGE'];
  const length = call(
    'lgetxattr',
    [path, OPAQUE_XATTR, value, 1],
    `read ${OPAQUE_XATTR} of ${path}`,
    tolerated,
  );
  return length === 1 && value.toString('latin1') === 'y';
}
