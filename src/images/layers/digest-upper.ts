import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import tar, { type Header, type Pack } from 'tar-stream';

type Entry = Partial<Header> & Pick<Header, 'name'>;

import { call } from '../../kernel/ffi/libc.ts';
import type { LayerTaskOptions } from './layer-store.ts';
import { OPAQUE_XATTR } from './whiteout.ts';

/**
 * The diffID of an overlay's upper directory: the digest of the tar that it would make, names sorted, times in seconds.
 *
 * Overlay's whiteouts become those of image-spec. Sockets are left out, as a tar cannot hold them.
 */
export async function digestUpper(
  upper: string,
  { signal, onProgress }: LayerTaskOptions,
): Promise<{ diffId: string; size: number }> {
  const pack = tar.pack();
  const hash = createHash('sha256');
  const links = new Map<string, string>();
  let size = 0;
  const consumed = pipeline(pack, async (chunks) => {
    let bytes = 0;
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
      onProgress?.(bytes);
    }
  });
  const walk = async (relative: string): Promise<void> => {
    signal?.throwIfAborted();
    for (const name of readdirSync(join(upper, relative)).sort()) {
      const path = join(relative, name);
      const stat = lstatSync(join(upper, path));
      size += stat.isFile()
        ? await addFile(pack, { upper, path, stat, links })
        : await addOther(pack, { upper, path, stat });
      if (stat.isDirectory()) await walk(path);
    }
  };
  await walk('');
  pack.finalize();
  await consumed;
  return { diffId: `sha256:${hash.digest('hex')}`, size };
}

interface Item {
  readonly upper: string;
  readonly path: string;
  readonly stat: Stats;
}

async function addFile(
  pack: Pack,
  { upper, path, stat, links }: Item & { links: Map<string, string> },
): Promise<number> {
  const inode = `${stat.dev}:${stat.ino}`;
  const first = links.get(inode);
  if (first !== undefined) {
    await addEntry(pack, { ...headerOf(path, stat), type: 'link', linkname: first, size: 0 });
    return 0;
  }
  if (stat.nlink > 1) links.set(inode, path);
  const entry = pack.entry({ ...headerOf(path, stat), type: 'file', size: stat.size });
  await pipeline(createReadStream(join(upper, path)), entry);
  return stat.size;
}

async function addOther(pack: Pack, { upper, path, stat }: Item): Promise<0> {
  const header = headerOf(path, stat);
  const [major, minor] = [(stat.rdev >> 8) & 0xfff, (stat.rdev & 0xff) | ((stat.rdev >> 12) & ~0xff)];
  if (stat.isDirectory()) {
    await addEntry(pack, { ...header, type: 'directory' });
    if (isOpaque(join(upper, path)))
      await addEntry(pack, { ...header, name: join(path, '.wh..wh..opq'), type: 'file', size: 0 });
  } else if (stat.isSymbolicLink()) {
    await addEntry(pack, { ...header, type: 'symlink', linkname: readlinkSync(join(upper, path)) });
  } else if (stat.isCharacterDevice() && stat.rdev === 0) {
    const hidden = path.replace(/([^/]+)$/, '.wh.$1');
    await addEntry(pack, { name: hidden, type: 'file', size: 0, mtime: new Date(0) });
  } else if (stat.isCharacterDevice() || stat.isBlockDevice()) {
    const type = stat.isBlockDevice() ? 'block-device' : 'character-device';
    await addEntry(pack, { ...header, type, devmajor: major, devminor: minor });
  } else if (stat.isFIFO()) {
    await addEntry(pack, { ...header, type: 'fifo' });
  }
  return 0;
}

function headerOf(path: string, stat: Stats): Entry {
  const mtime = new Date(Math.floor(stat.mtimeMs / 1000) * 1000);
  return { name: path, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtime };
}

function addEntry(pack: Pack, header: Entry): Promise<void> {
  return new Promise((resolve, reject) => {
    pack.entry(header, (error) => (error ? reject(error) : resolve()));
  });
}

function isOpaque(path: string): boolean {
  const value = Buffer.alloc(1);
  const length = call('lgetxattr', [path, OPAQUE_XATTR, value, 1], `read ${OPAQUE_XATTR} of ${path}`, [
    'ENODATA',
    'ENOTSUP',
    'ERANGE',
  ]);
  return length === 1 && value.toString('latin1') === 'y';
}
