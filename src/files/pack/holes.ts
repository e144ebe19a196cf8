import { call } from '../../kernel/ffi/libc.ts';
import type { Extent } from '../tar/entry.ts';

// lseek(2)
const SEEK_SET = 0;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** A file in more pieces is sent whole, because readers limit the map. */
const MOST_PIECES = 4096;

/** Where the data of a file lies; undefined when it has no holes worth the trouble. */
export function findData(fd: number, size: number): Extent[] | undefined {
  const extents: Extent[] = [];
  for (let at = 0; at < size; ) {
    const start = call('lseek', [fd, at, SEEK_DATA], 'look for data', ['ENXIO', 'EINVAL']);
    // ENXIO: a hole up to the end. EINVAL: a file system that does not know.
    if (start < 0) break;
    const end = Math.min(call('lseek', [fd, start, SEEK_HOLE], 'look for a hole'), size);
    if (start >= size || end <= start) break;
    extents.push({ offset: start, length: end - start });
    if (extents.length > MOST_PIECES) return undefined;
    at = end;
  }
  call('lseek', [fd, 0, SEEK_SET], 'go back to the start');
  const stored = extents.reduce((sum, { length }) => sum + length, 0);
  return stored === size ? undefined : extents;
}
