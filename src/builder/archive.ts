import { createReadStream } from 'node:fs';
import { FileError } from '../files/file-error.ts';
import { decompressByProgram } from '../files/unpack/by-program.ts';
import { decompress } from '../files/unpack/decompress.ts';

/** Where ustar and GNU tar have their magic (pax(1), "ustar Interchange Format"). */
const MAGIC_OFFSET = 257;

/** Opens a file for reading, which node:fs closes. */
export type OpenFile = () => number;

/** True for a tar, compressed or not, which is what ADD unpacks; by its content, whatever its name. */
export async function isArchive(file: OpenFile): Promise<boolean> {
  let head = Buffer.alloc(0);
  try {
    for await (const chunk of decompress(openArchive(file))) {
      head = Buffer.concat([head, chunk]);
      if (head.length >= MAGIC_OFFSET + 5) break;
    }
  } catch (error) {
    // Something else that begins like a compressed file.
    if (error instanceof FileError && error.reason !== 'unsupported-compression') return false;
    throw error;
  }
  return head.toString('latin1', MAGIC_OFFSET, MAGIC_OFFSET + 5) === 'ustar';
}

/**
 * The bytes of a file, plain or compressed so that the worker which unpacks it reads them; its memory is limited.
 *
 * @throws FileError `file.unsupported-compression`, `file.refused`
 */
export async function* openArchive(file: OpenFile): AsyncGenerator<Buffer> {
  const stream = createReadStream('', { fd: file(), start: 0 });
  try {
    yield* decompressByProgram(stream);
  } finally {
    stream.destroy();
  }
}
