import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { call } from '../../kernel/ffi/libc.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { O } from '../../kernel/mounts/flags.ts';
import { nameBytes } from '../tar/entry.ts';

/** Opens a regular file for reading; undefined when there is none any more. */
export type FileOpener = (path: string) => number | undefined;

/**
 * An opener for trees that change under us: a path is looked up first and opened only when it is a regular file, so that
 * no device is ever touched, whatever is renamed in between. To be made before chroot, because it takes /proc.
 */
export function createFileOpener(): FileOpener {
  const descriptors = openSync('/proc/self/fd', O.O_PATH | O.O_DIRECTORY);
  return (path) => {
    let found: number;
    try {
      found = openSync(nameBytes(path), O.O_PATH | O.O_NOFOLLOW);
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
      throw error;
    }
    try {
      if (!fstatSync(found).isFile()) return undefined;
      // The descriptor's own link in /proc means that very file, even from inside a chroot.
      return call('openat', [descriptors, String(found), constants.O_RDONLY | O.O_CLOEXEC], `open ${path}`);
    } finally {
      closeSync(found);
    }
  };
}
