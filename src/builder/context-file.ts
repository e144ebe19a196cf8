import { fstatSync, openSync } from 'node:fs';
import { closeDescriptor } from '../kernel/ffi/descriptor.ts';
import { O } from '../kernel/mounts/flags.ts';
import { openInRootNow } from '../kernel/mounts/open-in-root-now.ts';
import { withDirectory } from '../kernel/mounts/stat-in-root.ts';
import { MayflyError } from '../support/error.ts';

/**
 * Opens a file of a context for reading. Whatever has been put in the place of the file or of a directory above it since the context
 * was looked at, it leads nowhere outside, and a pipe holds nobody up.
 *
 * @returns a descriptor for node:fs to close
 * @throws MayflyError `build.context-changed`
 */
export function openContextFile(root: string, path: string): number {
  const fd = withDirectory(root, (directory) =>
    openInRootNow(directory, { path, flags: O.O_PATH | O.O_NOFOLLOW }),
  );
  if (fd === undefined) throw contextChanged(path, 'it is gone');
  try {
    if (!fstatSync(fd).isFile()) throw contextChanged(path, 'it is no file any more');
    return openSync(`/proc/self/fd/${fd}`, 'r');
  } finally {
    closeDescriptor(fd);
  }
}

export function contextChanged(path: string, how: string): MayflyError {
  return new MayflyError('build.context-changed', `${path} changed while it was read: ${how}`, {
    hint: 'build when nothing writes to the context',
  });
}
