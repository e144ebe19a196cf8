import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { posix } from 'node:path';
import { END_OF_ARCHIVE, encodeHeader, padding } from '../files/tar/encode.ts';
import { contextChanged } from './context-file.ts';
import type { ContextEntry, ContextIndex } from './context-index.ts';

/** A name in the tar and the entry that goes there. */
export interface PlacedEntry {
  readonly name: string;
  readonly entry: ContextEntry;
}

/** What a COPY of these entries puts below its destination: an entry's own name, or for a directory what is in it. */
export function placeBelow(
  index: ContextIndex,
  entry: ContextEntry,
  { name }: { name: string | undefined },
): PlacedEntry[] {
  return index.tree(entry).map((each) => {
    const below = entry.path === '' ? each.path : each.path.slice(entry.path.length + 1);
    return { name: name === undefined ? below || '.' : posix.join(name, below), entry: each };
  });
}

/** The tar of entries: owned by root, with their modes and times, as Docker's builder makes it. */
export async function* packEntries(
  index: ContextIndex,
  placed: readonly PlacedEntry[],
): AsyncGenerator<Buffer> {
  for (const { name, entry } of placed) {
    const { stat, link } = entry;
    const common = {
      name: latin1(name),
      mode: stat.mode & 0o7777,
      mtime: BigInt(Math.floor(stat.mtimeMs)) * 1_000_000n,
    };
    if (stat.isDirectory()) yield encodeHeader({ ...common, type: 'directory' });
    else if (link !== undefined) yield encodeHeader({ ...common, type: 'symlink', linkname: latin1(link) });
    else if (stat.isFile()) {
      yield encodeHeader({ ...common, type: 'file', size: stat.size });
      yield* fileContent(index, entry);
      yield padding(stat.size);
    }
  }
  yield END_OF_ARCHIVE;
}

/** A digest of what {@link packEntries} would pack, without times: a fresh checkout of the same files is the same. */
export async function digestEntries(index: ContextIndex, placed: readonly PlacedEntry[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { name, entry } of placed) await addEntry(hash, { name, entry, index });
  return hash.digest('hex');
}

async function addEntry(
  hash: Hash,
  { name, entry, index }: PlacedEntry & { index: ContextIndex },
): Promise<void> {
  const { stat, link } = entry;
  hash.update(JSON.stringify([name, stat.mode, link ?? null, stat.isFile() ? stat.size : 0]));
  if (!stat.isFile()) return;
  for await (const chunk of fileContent(index, entry)) hash.update(chunk);
}

/** As many bytes as the file had when it was looked at: one that grows or shrinks meanwhile must not bend the tar. */
async function* fileContent(index: ContextIndex, entry: ContextEntry): AsyncGenerator<Buffer> {
  const { size } = entry.stat;
  if (size === 0) return;
  let left = size;
  const stream = createReadStream('', { fd: index.open(entry), end: size - 1 });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    left -= chunk.length;
    yield chunk;
  }
  if (left > 0) throw contextChanged(entry.path, 'it became shorter');
}

/** Names in a tar are bytes, one a character. */
const latin1 = (name: string) => Buffer.from(name).toString('latin1');
