import {
  chmodSync,
  createWriteStream,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Header } from 'tar-stream';
import { call } from '../../kernel/ffi/libc.ts';
import { entryPath } from './entry-path.ts';
import { refused } from './layer-error.ts';
import { makeWhiteout, whiteoutOf } from './whiteout.ts';

const AT_FDCWD = -100;
const TYPE_BITS = { 'character-device': 0o020000, 'block-device': 0o060000, fifo: 0o010000 } as const;
const XATTR = 'SCHILY.xattr.';
/** Others mean something to the kernel that an image has no say in: trusted.overlay.* above all. */
const KEPT_XATTRS = /^(security\.capability$|user\.(?!overlay\.))/;

/** Writes the entries of a layer's tar below `/`, which is the layer's directory by then. */
export class EntryWriter {
  /** Bytes of file content so far. */
  size = 0;
  /** Directories get their times last, because every entry made in one changes them. */
  readonly #directoryTimes = new Map<string, Date>();

  /** Makes the system calls known that are needed after chroot. */
  prepare(): void {
    call('mknod', [AT_FDCWD, '/dev/null/x', 0, 0], 'bind mknod', ['ENOTDIR', 'ENOENT']);
    call('lsetxattr', ['/dev/null/x', 'user.x', Buffer.alloc(1), 1, 0], 'bind lsetxattr', [
      'ENOTDIR',
      'ENOENT',
    ]);
  }

  async write(header: Header, content: Readable): Promise<void> {
    const path = entryPath(header.name);
    const whiteout = whiteoutOf(path);
    if (whiteout !== undefined) {
      this.#parents(path);
      makeWhiteout(whiteout);
      content.resume();
      return;
    }
    if (path !== '/') {
      this.#parents(path);
      this.#clear(path, header);
    }
    await this.#create(path, header, content);
    this.#decorate(path, header);
  }

  finish(): void {
    for (const [path, time] of [...this.#directoryTimes].toReversed()) {
      // A later entry may have replaced the directory.
      if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) lutimesSync(path, time, time);
    }
  }

  #parents(path: string): void {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  }

  /** The last of several entries of one name counts; only a directory goes together with a directory. */
  #clear(path: string, { type }: Header): void {
    const present = lstatSync(path, { throwIfNoEntry: false });
    if (present === undefined || (present.isDirectory() && type === 'directory')) return;
    rmSync(path, { recursive: true, force: true });
  }

  async #create(path: string, header: Header, content: Readable): Promise<void> {
    const { type, linkname, devmajor = 0, devminor = 0 } = header;
    if (type === 'file' || type === 'contiguous-file') {
      this.size += header.size ?? 0;
      await pipeline(content, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
      return;
    }
    content.resume();
    if (type === 'directory') mkdirSync(path, { recursive: true });
    else if (type === 'symlink') symlinkSync(linkname ?? '', path);
    else if (type === 'link') linkSync(entryPath(linkname ?? ''), path);
    else if (type === 'fifo' || type === 'character-device' || type === 'block-device') {
      if (type === 'character-device' && devmajor === 0 && devminor === 0) {
        throw refused(`${path} is a whiteout in disguise (character device 0:0)`);
      }
      const device = (BigInt(devmajor) << 8n) | BigInt(devminor & 0xff) | (BigInt(devminor & ~0xff) << 12n);
      call('mknod', [AT_FDCWD, path, TYPE_BITS[type] | 0o600, device], `create ${path}`);
    } else throw refused(`${path} is of the unknown type ${type}`);
  }

  /** Owner before mode, because a change of owner clears setuid; attributes after both, for the same reason. */
  #decorate(path: string, { type, uid = 0, gid = 0, mode = 0o644, mtime, pax }: Header): void {
    if (type === 'link') return;
    lchownSync(path, uid, gid);
    if (type !== 'symlink') chmodSync(path, mode & 0o7777);
    for (const [key, value] of Object.entries((pax ?? {}) as Record<string, string>)) {
      const name = key.startsWith(XATTR) ? key.slice(XATTR.length) : '';
      if (!KEPT_XATTRS.test(name)) continue;
      const bytes = Buffer.from(value);
      call('lsetxattr', [path, name, bytes, bytes.length, 0], `set ${name} of ${path}`, ['ENOTSUP']);
    }
    if (mtime === undefined) return;
    if (type === 'directory') this.#directoryTimes.set(path, mtime);
    else lutimesSync(path, mtime, mtime);
  }
}
