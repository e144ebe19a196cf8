import { closeSync } from 'node:fs';
import { Readable } from 'node:stream';

/** Bytes of a length on its way to the worker: little-endian. */
export const LENGTH_BYTES = 8;

/**
 * A file that a worker reads from its front while somebody still writes it, or that is whole. Its bytes go through the page
 * cache only, so whoever writes it neither waits for the worker nor holds for it what it has not read yet.
 */
export interface GrowingFile extends Disposable {
  readonly fd: number;
  /** How many bytes are there, each time anew; ends when that was all. For the worker's stdin. */
  readonly lengths: Readable;
  /** So many bytes are there. */
  grown(size: number): void;
  /** Nothing more comes, and what came is good. Until then the worker does not end. */
  complete(): void;
}

/** `fd` is closed when the file is disposed of, which may be done twice. */
export function openGrowingFile(fd: number): GrowingFile {
  let [there, told] = [0, 0];
  let [isWhole, isWanted, isClosed] = [false, false, false];
  const tell = () => {
    if (!isWanted) return;
    if (there > told) {
      isWanted = false;
      told = there;
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeBigUInt64LE(BigInt(there));
      lengths.push(length);
    } else if (isWhole) lengths.push(null);
  };
  const lengths = new Readable({
    read() {
      isWanted = true;
      tell();
    },
  });
  return {
    fd,
    lengths,
    grown(size) {
      there = size;
      tell();
    },
    complete() {
      isWhole = true;
      tell();
    },
    [Symbol.dispose]() {
      if (isClosed) return;
      isClosed = true;
      lengths.destroy();
      closeSync(fd);
    },
  };
}
