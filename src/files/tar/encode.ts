/** Writes headers of a tar as pax(1) defines it: ustar, with extended records before it for what has no room there. */
import { type EntryType, nameBytes, type TarEntry } from './entry.ts';
import { BLOCK } from './header.ts';
import { encodePaxRecord } from './pax.ts';

const FLAGS: Readonly<Record<EntryType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
};
const FIELD = { name: 0, mode: 100, uid: 108, gid: 116, size: 124, mtime: 136, checksum: 148, type: 156, linkname: 157, magic: 257, devmajor: 329, devminor: 337 } as const; // biome-ignore format: a table
const NAME_LENGTH = 100;
const SECOND = 1_000_000_000n;

/** An entry to be written: its type and name, and whatever else is not 0, empty or `0o644`. */
export type EntryHeader = Pick<TarEntry, 'type' | 'name'> & Partial<TarEntry>;

export const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK);

/**
 * The blocks before an entry's content. Equal entries give equal bytes.
 *
 * A sparse file (`data`) is written in PAX format 1.0, whose map is part of what is returned; only the pieces follow.
 */
export function encodeHeader(header: EntryHeader): Buffer {
  const { map, stored, sparseRecords, name } = sparseParts(header);
  const records = [...paxRecords({ ...header, name, size: stored }), ...sparseRecords];
  const ustar = encodeUstar({ ...header, name, size: stored }, FLAGS[header.type]);
  if (records.length === 0) return Buffer.concat([ustar, map]);
  const body = Buffer.concat(records.map(([key, value]) => encodePaxRecord(key, value)));
  const extension = encodeUstar({ type: 'file', name: 'PaxHeader', size: body.length }, 'x');
  return Buffer.concat([extension, body, padding(body.length), ustar, map]);
}

/** Zeros up to the next block. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

type PaxRecord = readonly [key: string, value: Buffer];

/** Only what the fields of ustar cannot hold, in an order of its own. */
function paxRecords({
  name,
  linkname = '',
  uid = 0,
  gid = 0,
  size = 0,
  mtime = 0n,
  xattrs,
}: EntryHeader): PaxRecord[] {
  const records: PaxRecord[] = [];
  const add = (key: string, value: string) => records.push([key, Buffer.from(value, 'latin1')]);
  if (needsRecord(name)) add('path', name);
  if (needsRecord(linkname)) add('linkpath', linkname);
  if (uid >= 8 ** 7) add('uid', String(uid));
  if (gid >= 8 ** 7) add('gid', String(gid));
  if (size >= 8 ** 11) add('size', String(size));
  if (mtime % SECOND !== 0n || mtime < 0n || mtime >= 8n ** 11n * SECOND) add('mtime', decimal(mtime));
  for (const [key, value] of [...(xattrs ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)))
    records.push([`SCHILY.xattr.${key}`, value]);
  return records;
}

/** Bytes above 0x7f have a meaning in PAX only. */
function needsRecord(name: string): boolean {
  return name.length > NAME_LENGTH || /[^\0-\x7f]/.test(name);
}

/** Nanoseconds as seconds with a fraction, without zeros at its end. */
function decimal(nanoseconds: bigint): string {
  const [sign, absolute] = nanoseconds < 0n ? ['-', -nanoseconds] : ['', nanoseconds];
  const fraction = String(absolute % SECOND)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${sign}${absolute / SECOND}${fraction && `.${fraction}`}`;
}

/** GNU tar's way (manual, "PAX Format, Version 1.0"), made-up name included, which other tools show. */
function sparseParts({ name, size = 0, data }: EntryHeader) {
  if (data === undefined) return { map: Buffer.alloc(0), stored: size, sparseRecords: [], name };
  const numbers = data.flatMap(({ offset, length }) => [offset, length]);
  const lines = Buffer.from([data.length, ...numbers].map((number) => `${number}\n`).join(''));
  const map = Buffer.concat([lines, padding(lines.length)]);
  const sparseRecords = Object.entries({ major: '1', minor: '0', name, realsize: String(size) }).map(
    ([key, value]): PaxRecord => [`GNU.sparse.${key}`, nameBytes(value)],
  );
  const stored = map.length + data.reduce((sum, { length }) => sum + length, 0);
  return { map, stored, sparseRecords, name: name.replace(/([^/]*)$/, 'GNUSparseFile.0/$1') };
}

function encodeUstar(header: EntryHeader, flag: string): Buffer {
  const { mode = 0o644, uid = 0, gid = 0, size = 0, mtime = 0n, devmajor = 0, devminor = 0 } = header;
  const block = Buffer.alloc(BLOCK);
  const number = (field: keyof typeof FIELD, value: number, digits: number) =>
    block.write(`${(value % 8 ** digits).toString(8).padStart(digits, '0')}\0`, FIELD[field], 'latin1');
  nameBytes(header.name).copy(block, FIELD.name, 0, NAME_LENGTH);
  number('mode', mode, 7);
  number('uid', uid, 7);
  number('gid', gid, 7);
  number('size', size, 11);
  number('mtime', mtime < 0n ? 0 : Number(mtime / SECOND), 11);
  block.write(flag, FIELD.type);
  nameBytes(header.linkname ?? '').copy(block, FIELD.linkname, 0, NAME_LENGTH);
  block.write('ustar\x0000', FIELD.magic, 'latin1');
  number('devmajor', devmajor, 7);
  number('devminor', devminor, 7);
  // The sum is taken with its own field as spaces.
  block.fill(' ', FIELD.checksum, FIELD.type);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, FIELD.checksum, 'latin1');
  return block;
}
