import { createReadStream } from 'node:fs';
import { FileError } from '../files/file-error.ts';
import { decompress } from '../files/unpack/decompress.ts';

/** Where ustar and GNU tar have their magic (pax(1), "ustar Interchange Format"). */
const MAGIC_OFFSET = 257;

/** True for a tar, compressed or not, which is what ADD unpacks; by its content, whatever its name. */
export async function isArchive(path: string): Promise<boolean> {
  const stream = createReadStream(path);
  let head = Buffer.alloc(0);
  try {
    for await (const chunk of decompress(stream)) {
      head = Buffer.concat([head, chunk]);
      if (head.length >= MAGIC_OFFSET + 5) break;
    }
  } catch (error) {
    // Something else that begins like a compressed file.
    if (error instanceof FileError) return false;
    throw error;
  } finally {
    stream.destroy();
  }
  return head.toString('latin1', MAGIC_OFFSET, MAGIC_OFFSET + 5) === 'ustar';
}
