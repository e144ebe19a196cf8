import { closeSync, readlinkSync, readSync } from 'node:fs';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { END_OF_ARCHIVE, type EntryHeader, encodeHeader, padding } from '../tar/encode.ts';
import { type Extent, nameBytes } from '../tar/entry.ts';
import type { FileOpener } from './file-opener.ts';
import { findData } from './holes.ts';
import { layerForm } from './layer-form.ts';
import { type Found, walk } from './walk.ts';
import { listXattrs, readKeptXattrs } from './xattrs.ts';

const CHUNK = 256 << 10;
/** Smaller pieces go together, as there is one for every header. */
const BATCH = 64 << 10;

export interface PackOptions {
  /** Name of the top in the archive, in place of its path; `.` or empty for names relative to it. */
  readonly name: string;
  readonly opener: FileOpener;
  /** Attribute of opaque directories when the tree is an overlay's upper and the archive a layer's. */
  readonly opaque?: string;
  /** True to leave out holes, which not everybody can read. Default: false, which depends on nothing but the content. */
  readonly sparse?: boolean;
  /** Called for each file with the bytes of its content. */
  readonly onFile?: (size: number) => void;
}

/**
 * A tree as a tar. The same content gives the same bytes: names sorted, nothing of the clock, of the machine or of the
 * file system. Sockets are left out, as a tar cannot hold them.
 */
export function* packTree(top: Found, options: PackOptions): Generator<Buffer> {
  let pending: Buffer[] = [];
  let length = 0;
  for (const piece of pieces(top, options)) {
    pending.push(piece);
    length += piece.length;
    if (length < BATCH) continue;
    yield Buffer.concat(pending, length);
    pending = [];
    length = 0;
  }
  yield Buffer.concat(pending, length);
}

function* pieces(top: Found, options: PackOptions): Generator<Buffer> {
  const packer = new Packer(top, options);
  for (const found of walk(top)) yield* packer.entry(found);
  yield END_OF_ARCHIVE;
}

class Packer {
  readonly #top: Found;
  readonly #options: PackOptions;
  /** First name of every inode that has several. */
  readonly #links = new Map<string, string>();

  constructor(top: Found, options: PackOptions) {
    this.#top = top;
    this.#options = options;
  }

  *entry(found: Found): Generator<Buffer> {
    const name = this.#nameOf(found);
    const xattrs = listXattrs(found.path);
    const { opaque } = this.#options;
    const special = opaque === undefined ? undefined : layerForm({ ...found, name, xattrs }, opaque);
    if (special?.whiteout) return yield encodeHeader(special.whiteout);
    const header = { ...headerOf(found, name), xattrs: readKeptXattrs(found.path, xattrs) };
    if (found.stat.isFile()) yield* this.#file(found, header);
    else if (found.stat.isSymbolicLink()) yield* symlink(found, header);
    else if (!found.stat.isSocket() && (name !== '' || isUnusual(header)))
      yield encodeHeader(name === '' ? { ...header, name: './', mtime: 0n } : header);
    if (special?.opaque) yield encodeHeader(special.opaque);
  }

  #nameOf({ path, stat }: Found): string {
    const { name } = this.#options;
    const below = path.slice(this.#top.path === '/' ? 0 : this.#top.path.length);
    const full = name === '' ? below.slice(1) : below === '' || below === '/' ? name : `${name}${below}`;
    return stat.isDirectory() && full !== '' ? `${full}/` : full;
  }

  *#file({ path, stat }: Found, header: EntryHeader): Generator<Buffer> {
    const inode = `${stat.dev}:${stat.ino}`;
    const first = this.#links.get(inode);
    if (first !== undefined) {
      const { size: _, xattrs: __, ...rest } = header;
      return yield encodeHeader({ ...rest, type: 'link', linkname: first });
    }
    const fd = this.#options.opener.open(path);
    if (fd === undefined) return;
    try {
      if (stat.nlink > 1n) this.#links.set(inode, header.name);
      this.#options.onFile?.(header.size!);
      const data = this.#options.sparse ? findData(fd, header.size!) : undefined;
      yield encodeHeader(data === undefined ? header : { ...header, data });
      const extents = data ?? [{ offset: 0, length: header.size! }];
      for (const extent of extents) yield* readExtent(fd, extent);
      yield padding(extents.reduce((sum, { length }) => sum + length, 0));
    } finally {
      closeSync(fd);
    }
  }
}

/** Exactly as many bytes as the header promises: a file that shrinks meanwhile is filled up with zeros. */
function* readExtent(fd: number, { offset, length }: Extent): Generator<Buffer> {
  for (let done = 0; done < length; ) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, length - done));
    const read = readSync(fd, buffer, 0, buffer.length, offset + done);
    yield read === 0 ? buffer.fill(0) : buffer.subarray(0, read);
    done += read || buffer.length;
  }
}

function* symlink({ path }: Found, header: EntryHeader): Generator<Buffer> {
  try {
    yield encodeHeader({ ...header, linkname: readlinkSync(nameBytes(path), 'latin1') });
  } catch (error) {
    // It was replaced meanwhile.
    if (!isErrno(error, 'ENOENT', 'EINVAL')) throw error;
  }
}

/**
 * Whether a root is otherwise than that of a tar that does not speak of it. Its time, which every change below it changes, is nobody's
 * business.
 */
function isUnusual({ mode, uid, gid, xattrs }: EntryHeader): boolean {
  return mode !== 0o755 || uid !== 0 || gid !== 0 || xattrs!.size > 0;
}

function headerOf({ stat }: Found, name: string): EntryHeader {
  const rdev = Number(stat.rdev);
  const device = stat.isCharacterDevice() || stat.isBlockDevice();
  return {
    name,
    type: typeOf(stat),
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: stat.mtimeNs,
    ...(stat.isFile() ? { size: Number(stat.size) } : {}),
    // The parts of a dev_t as glibc's makedev puts them together.
    ...(device ? { devmajor: (rdev >> 8) & 0xfff, devminor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) } : {}),
  };
}

function typeOf(stat: Found['stat']): EntryHeader['type'] {
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isCharacterDevice()) return 'character-device';
  return stat.isBlockDevice() ? 'block-device' : 'file';
}
