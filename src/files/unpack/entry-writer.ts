import { closeSync, constants, ftruncateSync, linkSync, lstatSync, mkdirSync, openSync, rmSync, symlinkSync, writeSync } from 'node:fs'; // biome-ignore format: one list
import { call } from '../../kernel/ffi/libc.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { refuse } from '../file-error.ts';
import { pathArgument } from '../path-argument.ts';
import { nameBytes, shown, type TarEntry } from '../tar/entry.ts';
import { entryPath } from './entry-path.ts';
import { ImpliedDirectories } from './implied-directories.ts';
import { setDirectory, setFile, setOther, setTime } from './metadata.ts';
import { adoptAttributes, type Placement, redirected } from './placement.ts';
import { makeWhiteout, whiteoutOf } from './whiteout.ts';

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const STATX_ATTR_MOUNT_ROOT = 0x2000n;
const TYPE_BITS = { 'character-device': 0o020000, 'block-device': 0o060000, fifo: 0o010000 } as const;
const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
/** Never an existing file, so nothing is ever written through a link or into a device, whoever renames things meanwhile. */
const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

/** What is done with entries, beside creating them. */
export interface WriteRules {
  /** Where names in the archive begin, relative to the working directory. Default: there. */
  readonly base?: string;
  /**
   * For a layer, the attribute of opaque directories: whiteouts become overlay's, and the last of several entries of one
   * name counts. Without it, the tree is somebody's: a directory and something else never replace each other, and
   * directories that are there already stay as they are.
   */
  readonly opaque?: string;
  /** False: a symbolic link in the place of a directory is refused, because nothing but the archive can have put it there. */
  readonly followLinks: boolean;
  /** False: devices are left out, because nobody may make them in a user namespace (mknod(2), EPERM). Default: true. */
  readonly deviceNodes?: boolean;
  /** False: no devices, and neither setuid nor capabilities. */
  readonly privileges: boolean;
  /** What the layers below say about a layer. Default: nothing. */
  readonly place?: Placement;
  /** Default: as the archive has it. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Permission bits of files. Default: as the archive has it. */
  readonly mode?: number;
  /** True: `mode` is for directories as well. */
  readonly modeOfAll?: boolean;
}

type Content = AsyncIterable<{ readonly offset: number; readonly bytes: Buffer }>;

/** Creates the entries of a tar below the working directory. */
export class EntryWriter {
  /** Bytes of file content so far, holes included. */
  size = 0;
  readonly #rules: WriteRules;
  /** Directories get their times last, because every entry made in one changes them. */
  readonly #directoryTimes = new Map<string, bigint>();
  readonly #implied = new ImpliedDirectories();
  #hasRoot = false;
  readonly #redirect: ReadonlyMap<string, string>;

  constructor(rules: WriteRules) {
    this.#rules = rules;
    this.#redirect = new Map(rules.place?.redirect);
  }

  async write(given: TarEntry, content: Content): Promise<void> {
    const { opaque } = this.#rules;
    // A directory that is a link below does not come into being.
    if (given.type === 'directory' && this.#redirect.has(entryPath(given.name))) return;
    const path = this.#pathOf(given.name);
    const entry = this.#ruled(given);
    const whiteout = opaque === undefined ? undefined : whiteoutOf(path);
    if (path === '.') this.#hasRoot = true;
    else this.#parents(path, entry.mtime);
    if (whiteout !== undefined) return makeWhiteout(whiteout, opaque!);
    const present = path === '.' ? lstatSync('.') : this.#makeRoom(path, entry);
    if (entry.type === 'directory') this.#directory(path, entry, present !== undefined);
    else if (path === '.') throw refuse(`the root of the archive is of the type ${entry.type}`);
    else if (entry.type === 'file') await this.#file(path, entry, content);
    else if (entry.type.endsWith('-device') && this.#rules.deviceNodes === false) return;
    else if (entry.type === 'link') this.#link(path, this.#pathOf(entry.linkname));
    else this.#other(path, entry);
  }

  /** Returns the directories of a layer that it says nothing about. */
  finish(): string[] {
    const implied = this.#implied.finish();
    if (this.#rules.place !== undefined) adoptAttributes(this.#rules.place);
    for (const [path, time] of [...this.#directoryTimes].toReversed()) {
      // A later entry may have replaced the directory.
      if (lstatSync(nameBytes(path), { throwIfNoEntry: false })?.isDirectory()) setTime(path, time);
    }
    return this.#hasRoot ? implied : ['.', ...implied];
  }

  #pathOf(name: string): string {
    return (this.#rules.base ?? '.') + redirected(entryPath(name), this.#redirect).slice(1);
  }

  #ruled(entry: TarEntry): TarEntry {
    const { owner, privileges, mode = entry.mode, modeOfAll } = this.#rules;
    const moded = entry.type === 'file' || (modeOfAll && entry.type === 'directory');
    const set = { ...entry, ...owner, ...(moded ? { mode } : {}) };
    if (privileges) return set;
    if (entry.type.endsWith('-device')) throw refuse(`${shown(entry.name)} is a device`);
    return { ...set, mode: set.mode & 0o1777, xattrs: new Map() };
  }

  #parents(path: string, mtime: bigint): void {
    const parent = path.slice(0, path.lastIndexOf('/'));
    if (!this.#rules.followLinks) this.#refuseLinks(parent);
    if (this.#rules.opaque !== undefined) this.#implied.make(parent, mtime);
    else if (parent !== '.') mkdirSync(nameBytes(parent), { recursive: true, mode: 0o755 });
  }

  #refuseLinks(path: string): void {
    const parts = path.split('/');
    for (let depth = 2; depth <= parts.length; depth++) {
      const part = parts.slice(0, depth).join('/');
      if (lstatSync(nameBytes(part), { throwIfNoEntry: false })?.isSymbolicLink())
        throw refuse(`${shown(path)} leads through a symbolic link`);
    }
  }

  /** Removes what is in the way. Returns what stays, which is a directory for a directory. */
  #makeRoom(path: string, { type }: TarEntry) {
    const target = nameBytes(path);
    const present = lstatSync(target, { throwIfNoEntry: false });
    if (present === undefined) return undefined;
    const isDirectory = type === 'directory';
    if (present.isDirectory() && isDirectory) return present;
    if (this.#rules.opaque === undefined) {
      if (present.isDirectory() !== isDirectory) throw wrongKind(path, isDirectory);
      if (isMountPoint(path)) throw refuse(`something is mounted on ${shown(path)}`);
    }
    rmSync(target, { recursive: true, force: true });
    return undefined;
  }

  #directory(path: string, entry: TarEntry, present: boolean): void {
    if (!present) mkdirSync(nameBytes(path), { mode: 0o700 });
    else if (this.#rules.opaque === undefined) return;
    this.#implied.forget(path);
    setDirectory(path, entry);
    this.#directoryTimes.set(path, entry.mtime);
  }

  async #file(path: string, entry: TarEntry, content: Content): Promise<void> {
    const fd = openSync(nameBytes(path), NEW_FILE, 0o600);
    try {
      for await (const { offset, bytes } of content) {
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, offset + at);
      }
      if (entry.data !== undefined) ftruncateSync(fd, entry.size);
      setFile(fd, path, entry);
    } catch (error) {
      rmSync(nameBytes(path), { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
    this.size += entry.size;
  }

  #other(path: string, entry: TarEntry): void {
    const { type, linkname, mode, devmajor, devminor } = entry;
    if (type === 'symlink') symlinkSync(nameBytes(linkname), nameBytes(path));
    else if (type === 'fifo' || type === 'character-device' || type === 'block-device') {
      if (type === 'character-device' && devmajor === 0 && devminor === 0)
        throw refuse(`${shown(path)} is a whiteout in disguise (character device 0:0)`);
      const device = type === 'fifo' ? 0n : deviceNumber(devmajor, devminor);
      call('mknod', [AT_FDCWD, pathArgument(path), TYPE_BITS[type] | mode, device], `create ${shown(path)}`);
    }
    setOther(path, entry);
  }

  #link(path: string, target: string): void {
    if (!this.#rules.followLinks) this.#refuseLinks(target.slice(0, target.lastIndexOf('/')));
    try {
      linkSync(nameBytes(target), nameBytes(path));
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EPERM')) throw error;
      throw refuse(`${shown(path)} is a hard link to ${shown(target)}, which is no file`, error);
    }
  }
}

/** In another mount namespace than ours, removing what is mounted on takes the mount away instead of failing. */
function isMountPoint(path: string): boolean {
  const status = Buffer.alloc(256);
  call('statx', [AT_FDCWD, pathArgument(path), AT_SYMLINK_NOFOLLOW, 0, status], `look at ${shown(path)}`);
  return (status.readBigUInt64LE(8) & STATX_ATTR_MOUNT_ROOT) !== 0n;
}

function wrongKind(path: string, wantsDirectory: boolean): Error {
  const code = wantsDirectory ? 'ENOTDIR' : 'EISDIR';
  const is = wantsDirectory ? 'is no directory and would become one' : 'is a directory and would become none';
  return Object.assign(new Error(`${shown(path)} ${is}`), { code });
}

/** The parts of a dev_t as glibc's makedev puts them together. @throws FileError `file.refused` */
function deviceNumber(major: number, minor: number): bigint {
  if (major < 0 || minor < 0 || major > 0xfff || minor > 0xfffff)
    throw refuse(`there is no device ${major}:${minor}`);
  return (BigInt(major) << 8n) | BigInt(minor & 0xff) | (BigInt(minor & ~0xff) << 12n);
}
