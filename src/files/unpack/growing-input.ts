import { readSync } from 'node:fs';
import { refuse } from '../file-error.ts';
import { LENGTH_BYTES } from '../growing-file.ts';

const CHUNK = 256 << 10;

/** The bytes of a file from its front, as far as the lengths say that they are there. @throws FileError `file.refused` */
export async function* readGrowing(fd: number, lengths: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let at = 0;
  for await (const part of lengths) {
    const bytes = rest.length === 0 ? part : Buffer.concat([rest, part]);
    const whole = bytes.length - (bytes.length % LENGTH_BYTES);
    rest = bytes.subarray(whole);
    if (whole === 0) continue;
    const size = Number(bytes.readBigUInt64LE(whole - LENGTH_BYTES));
    while (at < size) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, size - at));
      const read = readSync(fd, buffer, 0, buffer.length, at);
      if (read === 0) throw refuse('the file is shorter than it was');
      at += read;
      yield buffer.subarray(0, read);
    }
  }
}
