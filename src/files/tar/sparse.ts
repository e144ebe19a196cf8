import { refuse } from '../file-error.ts';
import type { ByteSource } from './byte-source.ts';
import type { Extent } from './entry.ts';
import { BLOCK, type HeaderBlock, number, positive } from './header.ts';
import { type PaxRecords, paxNumber, paxText, wholeNumber } from './pax.ts';

/** A file with more pieces than this is an attack on our memory (CVE-2025-58183). */
const MAX_EXTENTS = 65_536;

/** A sparse file as the archive describes it. */
export interface Sparse {
  /** Its own name, where the header's is made up. */
  readonly name?: string;
  readonly realSize: number;
  readonly data: readonly Extent[];
  /** Bytes of the entry that the map itself took. */
  readonly mapSize: number;
}

/** Old GNU format, type `S`: four pieces in the header, the others in blocks after it. */
export async function readOldSparse({ block }: HeaderBlock, source: ByteSource): Promise<Sparse> {
  const realSize = positive(number(block, 483, 12));
  const data = extentsAt(block, 386, 4);
  for (let extended = block[482] !== 0; extended; ) {
    const next = await source.take(BLOCK);
    if (next === undefined) throw refuse('the archive is truncated');
    data.push(...extentsAt(next, 0, 21));
    if (data.length > MAX_EXTENTS) throw tooMany();
    extended = next[504] !== 0;
  }
  return { realSize, data, mapSize: 0 };
}

function extentsAt(block: Buffer, start: number, count: number): Extent[] {
  const extents: Extent[] = [];
  for (let at = start; at < start + count * 24; at += 24) {
    if (block[at] === 0) break;
    extents.push({ offset: number(block, at, 12), length: number(block, at + 12, 12) });
  }
  return extents;
}

/** PAX formats 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files"); undefined for an ordinary file. */
export async function readPaxSparse(records: PaxRecords, source: ByteSource): Promise<Sparse | undefined> {
  const named = paxText(records, 'GNU.sparse.name');
  const name = named === undefined ? {} : { name: named };
  if (paxText(records, 'GNU.sparse.major') === '1') {
    const realSize = paxNumber(records, 'GNU.sparse.realsize') ?? 0;
    return { ...name, realSize, ...(await readMap(source)) };
  }
  const realSize = paxNumber(records, 'GNU.sparse.size');
  if (realSize === undefined) return undefined;
  const numbers = paxText(records, 'GNU.sparse.map')?.split(',') ?? interleaved(records);
  return { ...name, realSize, data: pairs(numbers), mapSize: 0 };
}

function interleaved(records: PaxRecords): string[] {
  const [offsets, lengths] = [
    records.get('GNU.sparse.offset') ?? [],
    records.get('GNU.sparse.numbytes') ?? [],
  ];
  return offsets.flatMap((offset, i) => [offset.toString('latin1'), lengths[i]?.toString('latin1') ?? '']);
}

/** Decimal lines at the start of the content, filled up to whole blocks: the count, then offset and length of each. */
async function readMap(source: ByteSource): Promise<Pick<Sparse, 'data' | 'mapSize'>> {
  const lines: string[] = [];
  let rest = '';
  let mapSize = 0;
  for (let wanted = 1; lines.length < wanted; ) {
    const block = await source.take(BLOCK);
    if (block === undefined) throw refuse('the archive is truncated');
    mapSize += BLOCK;
    const parts = (rest + block.toString('latin1')).split('\n');
    rest = parts.pop()!;
    lines.push(...parts);
    if (lines.length > 0) wanted = 1 + 2 * wholeNumber(lines[0]!, 'a count of pieces');
    if (wanted > 2 * MAX_EXTENTS || rest.length > BLOCK) throw tooMany();
  }
  const [count, ...numbers] = lines;
  return { data: pairs(numbers.slice(0, 2 * Number(count))), mapSize };
}

function pairs(numbers: readonly string[]): Extent[] {
  if (numbers.length > 2 * MAX_EXTENTS) throw tooMany();
  if (numbers.length % 2 !== 0) throw refuse('the map of a sparse file is malformed');
  const values = numbers.map((value) => wholeNumber(value, 'a piece of a sparse file'));
  return Array.from({ length: values.length / 2 }, (_, i) => ({
    offset: values[2 * i]!,
    length: values[2 * i + 1]!,
  }));
}

/** Pieces in order, inside the file, and as long together as what the archive holds. @throws FileError `file.refused` */
export function checkSparse({ realSize, data }: Sparse, stored: number): void {
  let end = 0;
  let total = 0;
  for (const { offset, length } of data) {
    if (offset < end || length < 0 || offset + length > realSize)
      throw refuse('the map of a sparse file contradicts itself');
    end = offset + length;
    total += length;
  }
  if (total !== stored) throw refuse('the map of a sparse file does not fit its content');
}

const tooMany = () => refuse(`a sparse file has more than ${MAX_EXTENTS} pieces`);
