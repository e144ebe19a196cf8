/**
 * Reads a tar entry by entry: ustar, PAX, GNU and star, long names, sparse files, as GNU tar and Go's archive/tar do.
 *
 * Written here because the libraries at hand (tar-stream, tar, modern-tar) decode names and PAX values as UTF-8, which
 * destroys security.capability and names in other encodings, and take the map of a sparse file for its content.
 */
import { refuse } from '../file-error.ts';
import { ByteSource } from './byte-source.ts';
import type { EntryType, TarEntry } from './entry.ts';
import { BLOCK, decodeHeader, type HeaderBlock } from './header.ts';
import { decodePax, type PaxRecords, paxNumber, paxText, paxTime } from './pax.ts';
import { checkSparse, readOldSparse, readPaxSparse, type Sparse } from './sparse.ts';

const TYPES: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  S: 'file',
};
/** Long names and attributes need less; Go's limit is the same. */
const MAX_EXTENSION = 1 << 20;
const MAX_ID = 2 ** 32 - 2;
const XATTR = 'SCHILY.xattr.';

/** What the headers before an entry's own say of it. */
interface Extension {
  pax?: PaxRecords;
  longName?: string;
  longLink?: string;
}

export class TarReader {
  readonly #source: ByteSource;
  #global: PaxRecords = new Map();
  #entry: TarEntry | undefined;
  /** Bytes of the present entry's content that are still to come, and of the padding after them. */
  #left = 0;
  #padding = 0;

  constructor(input: AsyncIterable<Buffer>) {
    this.#source = new ByteSource(input);
  }

  /**
   * The next entry; undefined after the last, when the input has been read to its end.
   *
   * @throws FileError `file.refused` for what is no tar, or breaks off
   */
  async next(): Promise<TarEntry | undefined> {
    await this.#source.skip(this.#left + this.#padding);
    this.#left = 0;
    this.#padding = 0;
    const extension: Extension = {};
    for (;;) {
      const header = await this.#header();
      if (header === undefined) {
        if (Object.keys(extension).length > 0) throw refuse('the archive ends after an extended header');
        await this.#source.drain();
        return undefined;
      }
      if (await this.#extend(extension, header)) continue;
      this.#entry = await this.#complete(header, extension);
      return this.#entry;
    }
  }

  /** The content of the entry that `next` gave last, without its holes; to be read once, or not at all. */
  async *content(): AsyncGenerator<{ readonly offset: number; readonly bytes: Buffer }> {
    const { size, data = [{ offset: 0, length: size }] } = this.#entry!;
    for (const { offset, length } of data) {
      let at = offset;
      for await (const bytes of this.#source.stream(length)) {
        this.#left -= bytes.length;
        yield { offset: at, bytes };
        at += bytes.length;
      }
    }
  }

  /** What follows the first block of zeros is no part of the archive. That there is none means that something is missing. */
  async #header(): Promise<HeaderBlock | undefined> {
    const block = await this.#source.take(BLOCK);
    if (block === undefined) throw refuse('the archive is truncated: it has no end mark');
    return decodeHeader(block);
  }

  /** True when the header was one of those that say something of the next. */
  async #extend(extension: Extension, { flag, size }: HeaderBlock): Promise<boolean> {
    if (!'xXgLK'.includes(flag)) return false;
    if (size > MAX_EXTENSION) throw refuse('an extended header is larger than 1 MiB');
    const body = (await this.#source.take(size)) ?? Buffer.alloc(0);
    await this.#source.skip(paddingOf(size));
    if (flag === 'L') extension.longName = untilNul(body);
    else if (flag === 'K') extension.longLink = untilNul(body);
    else if (flag === 'g') this.#global = new Map([...this.#global, ...decodePax(body)]);
    else extension.pax = decodePax(body);
    return true;
  }

  async #complete(header: HeaderBlock, { longName, longLink, ...extension }: Extension): Promise<TarEntry> {
    const { flag } = header;
    const pax = new Map([...this.#global, ...(extension.pax ?? [])]);
    const name = longName ?? paxText(pax, 'path') ?? header.name;
    const type = flag === '0' && name.endsWith('/') ? 'directory' : TYPES[flag];
    if (type === undefined) throw refuse(`an entry is of the unknown type ${JSON.stringify(flag)}`);
    // The size that counts is that of PAX (CVE-2025-62518); other types than files have no content, whatever they say.
    const stored = type === 'file' ? (paxNumber(pax, 'size') ?? header.size) : 0;
    this.#left = stored;
    this.#padding = paddingOf(stored);
    const sparse = type === 'file' ? await this.#sparse(header, pax) : undefined;
    return {
      type,
      name: sparse?.name ?? name,
      linkname: longLink ?? paxText(pax, 'linkpath') ?? header.linkname,
      mode: header.mode,
      uid: checkId(paxNumber(pax, 'uid') ?? header.uid),
      gid: checkId(paxNumber(pax, 'gid') ?? header.gid),
      size: sparse?.realSize ?? stored,
      mtime: paxTime(pax, 'mtime') ?? BigInt(header.mtime) * 1_000_000_000n,
      devmajor: header.devmajor,
      devminor: header.devminor,
      xattrs: xattrsOf(pax),
      data: sparse?.data,
    };
  }

  async #sparse(header: HeaderBlock, pax: PaxRecords): Promise<Sparse | undefined> {
    const sparse =
      header.flag === 'S'
        ? await readOldSparse(header, this.#source)
        : await readPaxSparse(pax, this.#source);
    if (sparse === undefined) return undefined;
    this.#left -= sparse.mapSize;
    checkSparse(sparse, this.#left);
    return sparse;
  }
}

function xattrsOf(pax: PaxRecords): Map<string, Buffer> {
  const attributes = new Map<string, Buffer>();
  for (const [key, values] of pax)
    if (key.startsWith(XATTR)) attributes.set(key.slice(XATTR.length), values.at(-1)!);
  return attributes;
}

/** The largest number means "leave as it is" to chown(2), so it is nobody's. */
function checkId(id: number): number {
  if (id >= 0 && id <= MAX_ID) return id;
  throw refuse(`an entry belongs to ${id}, which is no user or group`);
}

function untilNul(body: Buffer): string {
  const end = body.indexOf(0);
  return body.toString('latin1', 0, end < 0 ? body.length : end);
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
