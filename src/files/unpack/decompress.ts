import { Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { FileError, refuse } from '../file-error.ts';

type Compression = 'gzip' | 'zstd' | 'bzip2' | 'xz';

const MAGIC: Readonly<Record<Compression, Buffer>> = {
  gzip: Buffer.from([0x1f, 0x8b]),
  zstd: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
  bzip2: Buffer.from('BZh'),
  xz: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
};
/** Bytes that are looked at first: as many as the longest header of a zstd frame has. */
const HEAD = 18;
/** More than any level of the zstd program takes without being told to (zstd(1), --long), and its own limit for strangers. */
const MOST_WINDOW = 128 << 20;
/** What grows more than this many times, and beyond the size, is a bomb: archives of programs and text grow 3 to 20 times. */
const MOST_GROWTH = 200;
const FREE_GROWTH = 256 << 20;
/** Four bytes of zstd may mean 128 KiB, and the decoder in JavaScript gives all that a piece of input means at once. */
const ZSTD_SLICE = 1024;

/**
 * The plain bytes of a stream, whatever it is compressed with: known by its first bytes, whatever its name says.
 *
 * @throws FileError `file.unsupported-compression`; `file.refused` for a stream that is damaged, truncated or a bomb
 */
export async function* decompress(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const counted = { bytes: 0 };
  const { compression, head, whole } = await sniff(count(input, counted));
  if (compression === undefined) return yield* whole;
  if (compression === 'zstd' && windowOf(head) > MOST_WINDOW)
    throw refuse('the zstd stream asks for too much memory');
  yield* limited(decoded(whole, compression), { compression, counted });
}

/** Passes on what a decoder gives until it is too much for what went in. @throws FileError `file.refused` */
export async function* limited(
  output: AsyncIterable<Buffer>,
  { compression, counted }: { compression: string; counted: { readonly bytes: number } },
): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    for await (const chunk of output) {
      bytes += chunk.length;
      if (bytes > FREE_GROWTH && bytes > counted.bytes * MOST_GROWTH)
        throw refuse(`${counted.bytes} bytes of ${compression} grow to more than ${bytes} bytes`);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof FileError) throw error;
    // Memory is limited in the worker.
    const memory = error instanceof RangeError;
    throw refuse(
      `the ${compression} stream ${memory ? 'asks for too much memory' : 'is damaged or truncated'}`,
      error,
    );
  }
}

/** Keeps account of what goes through. */
export async function* count(
  input: AsyncIterable<Buffer>,
  counted: { bytes: number },
): AsyncGenerator<Buffer> {
  for await (const chunk of input) {
    counted.bytes += chunk.length;
    yield chunk;
  }
}

/** What a stream is compressed with, its first bytes, and all of it. */
export async function sniff(input: AsyncGenerator<Buffer>) {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < HEAD) {
    const { value, done } = await input.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  const compression = (Object.keys(MAGIC) as Compression[]).find((name) =>
    head.subarray(0, MAGIC[name].length).equals(MAGIC[name]),
  );
  return { compression, head, whole: rejoin(head, input) };
}

/** Bytes of memory that the first frame of a zstd stream takes (RFC 8878, 3.1.1.1); for content in one piece, those of it. */
function windowOf(head: Buffer): number {
  if (head.length < HEAD) return 0;
  const descriptor = head[4]!;
  const isSingle = (descriptor & 0x20) !== 0;
  if (!isSingle) {
    const base = 2 ** (10 + (head[5]! >> 3));
    return base + (base / 8) * (head[5]! & 7);
  }
  const at = 5 + [0, 1, 2, 4][descriptor & 3]!;
  if (descriptor >> 6 === 3) return Number(head.readBigUInt64LE(at));
  return descriptor >> 6 === 2 ? head.readUInt32LE(at) : 0;
}

async function* rejoin(head: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* rest;
}

function decoded(input: AsyncIterable<Buffer>, compression: Compression): AsyncIterable<Buffer> {
  if (compression === 'gzip') return through(input, zlib.createGunzip({ chunkSize: 256 << 10 }));
  if (compression !== 'zstd')
    throw new FileError('unsupported-compression', `the archive is compressed with ${compression}`);
  // Node has zstd from 22.15 on; before, a decoder in JavaScript.
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform };
  return createZstdDecompress === undefined ? unzstd(input) : through(input, createZstdDecompress());
}

function through(input: AsyncIterable<Buffer>, decoder: Transform): AsyncIterable<Buffer> {
  const source = Readable.from(input, { objectMode: false });
  source.on('error', (error) => decoder.destroy(error));
  return source.pipe(decoder);
}

async function* unzstd(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let output: Buffer[] = [];
  // A copy, because the decoder goes on using its own.
  const decoder = new Decompress((chunk) => output.push(Buffer.from(chunk)));
  for await (const chunk of input) {
    for (let at = 0; at < chunk.length; at += ZSTD_SLICE) {
      decoder.push(chunk.subarray(at, at + ZSTD_SLICE));
      yield* output;
      output = [];
    }
  }
  decoder.push(new Uint8Array(0), true);
  yield* output;
}
