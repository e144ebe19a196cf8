import { closeSync, fstatSync, openSync, readdirSync, type Stats } from 'node:fs';
import { closeDescriptor } from '../ffi/descriptor.ts';
import { O } from './flags.ts';
import { openInRootNow } from './open-in-root-now.ts';

/** What a path in a tree that an image controls leads to; undefined when there is nothing. `root`: a directory's descriptor. */
export function statInRoot(root: number, path: string): Stats | undefined {
  const fd = openInRootNow(root, { path, flags: O.O_PATH });
  if (fd === undefined) return undefined;
  try {
    return fstatSync(fd);
  } finally {
    closeDescriptor(fd);
  }
}

/** The names in a directory of such a tree, sorted; none when it is no directory. */
export function listInRoot(root: number, path: string): string[] {
  const fd = openInRootNow(root, { path, flags: O.O_PATH | O.O_DIRECTORY });
  if (fd === undefined) return [];
  try {
    return readdirSync(`/proc/self/fd/${fd}`).sort();
  } finally {
    closeDescriptor(fd);
  }
}

/** Runs `use` with a descriptor of a directory. */
export function withDirectory<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, O.O_PATH | O.O_DIRECTORY | O.O_CLOEXEC);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
