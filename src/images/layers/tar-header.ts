/**
 * Headers of a tar as pax(1) defines it (ustar and its extended records), for digests: tar-stream writes whole archives
 * only, and comes to a standstill over thousands of small entries (3.2.2).
 */
const BLOCK = 512;
/** Type flags of ustar, and `x` for the PAX records of the next entry. */
const TYPE_FLAGS = {
  file: '0',
  link: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
  extension: 'x',
} as const;
const FIELD = { name: 0, mode: 100, uid: 108, gid: 116, size: 124, mtime: 136, checksum: 148, type: 156, linkname: 157, magic: 257, devmajor: 329, devminor: 337 } as const; // biome-ignore format: a table
const NAME_LENGTH = 100;

export interface EntryHeader {
  readonly name: string;
  readonly type: keyof typeof TYPE_FLAGS;
  /** Permission bits. Default: 0o644. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Bytes of content. Default: 0. */
  readonly size?: number;
  /** Whole seconds count. */
  readonly mtime: Date;
  readonly linkname?: string;
  readonly devmajor?: number;
  readonly devminor?: number;
}

/** An entry's header, with PAX records before it where a field has no room in ustar. */
export function encodeHeader(header: EntryHeader): Buffer {
  const records = Object.entries({
    path: header.name,
    linkpath: header.linkname ?? '',
    ...(header.size !== undefined && header.size >= 8 ** 11 ? { size: String(header.size) } : {}),
  }).filter(([key, value]) => key === 'size' || Buffer.byteLength(value) > NAME_LENGTH);
  if (records.length === 0) return encodeUstar(header);
  const body = Buffer.from(records.map(([key, value]) => paxRecord(key, value)).join(''));
  const extension = encodeUstar({
    name: 'PaxHeader',
    type: 'extension',
    size: body.length,
    mtime: header.mtime,
  });
  return Buffer.concat([extension, body, padding(body.length), encodeUstar(header)]);
}

/** Zeros up to the next block. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

export const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK);

function encodeUstar({ mode = 0o644, uid = 0, gid = 0, size = 0, ...header }: EntryHeader): Buffer {
  const block = Buffer.alloc(BLOCK);
  const number = (field: keyof typeof FIELD, value: number, digits: number) =>
    block.write(`${(value % 8 ** digits).toString(8).padStart(digits, '0')}\0`, FIELD[field], 'latin1');
  block.write(header.name, FIELD.name, NAME_LENGTH);
  number('mode', mode, 7);
  number('uid', uid, 7);
  number('gid', gid, 7);
  number('size', size, 11);
  number('mtime', Math.max(0, Math.floor(header.mtime.getTime() / 1000)), 11);
  block.write(TYPE_FLAGS[header.type], FIELD.type);
  block.write(header.linkname ?? '', FIELD.linkname, NAME_LENGTH);
  block.write('ustar\x0000', FIELD.magic, 'latin1');
  number('devmajor', header.devmajor ?? 0, 7);
  number('devminor', header.devminor ?? 0, 7);
  // The sum is taken with its own field as spaces.
  block.fill(' ', FIELD.checksum, FIELD.type);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, FIELD.checksum, 'latin1');
  return block;
}

/** `LENGTH key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length > length) length += 1;
  return `${length} ${key}=${value}\n`;
}
