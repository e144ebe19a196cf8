import { fstatSync, readFileSync, readSync } from 'node:fs';
import { closeDescriptor } from '../ffi/descriptor.ts';
import { O } from './flags.ts';
import { openInRootNow } from './open-in-root-now.ts';
import { withDirectory } from './stat-in-root.ts';

/** Nothing that we read from an image is larger; what claims to be is an attack (CVE-2026-47262). */
const MAX_SIZE = 10 << 20;
const O_NONBLOCK = 0o4000;

/**
 * Reads a small regular file inside a tree that an image controls, with openat2 so that no link leads out of it.
 *
 * `root` is a directory on the host, `/proc/<pid>/root` included. Returns undefined when there is no such file, or it
 * is not a regular one, or larger than 10 MiB.
 */
export function readInRoot(root: string, path: string): string | undefined {
  return withDirectory(root, (directory) => {
    // O_NONBLOCK, so that a FIFO planted as /etc/passwd does not hold us.
    const fd = openInRootNow(directory, { path, flags: O.O_RDONLY | O_NONBLOCK });
    if (fd === undefined) return undefined;
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() || stat.size > MAX_SIZE) return undefined;
      return stat.size > 0 ? readFileSync(fd, 'utf8') : readOnce(fd);
    } finally {
      closeDescriptor(fd);
    }
  });
}

/** Files of /proc say that they are empty. */
function readOnce(fd: number): string {
  const buffer = Buffer.alloc(65536);
  return buffer.toString('utf8', 0, readSync(fd, buffer));
}
