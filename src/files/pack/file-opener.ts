import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { call } from '../../kernel/ffi/libc.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { O } from '../../kernel/mounts/flags.ts';
import { nameBytes, shown } from '../tar/entry.ts';

/** Opens regular files for reading. */
export interface FileOpener extends Disposable {
  /** A descriptor; undefined when there is no such file any more. */
  open(path: string): number | undefined;
}

/**
 * An opener for trees that change under us: a path is looked up first and opened only when it is a regular file, so that
 * no device is ever touched, whatever is renamed in between. To be made before chroot, because it takes /proc.
 */
export function createFileOpener(): FileOpener {
  const descriptors = openSync('/proc/self/fd', O.O_PATH | O.O_DIRECTORY | O.O_CLOEXEC);
  return {
    open(path) {
      const found = openPath(path);
      if (found === undefined) return undefined;
      try {
        if (!fstatSync(found).isFile()) return undefined;
        // The descriptor's own link in /proc means that very file, even from inside a chroot.
        const flags = constants.O_RDONLY | O.O_CLOEXEC;
        return call('openat', [descriptors, String(found), flags], `open ${shown(path)}`);
      } finally {
        closeSync(found);
      }
    },
    [Symbol.dispose]: () => closeSync(descriptors),
  };
}

function openPath(path: string): number | undefined {
  try {
    return openSync(nameBytes(path), O.O_PATH | O.O_NOFOLLOW | O.O_CLOEXEC);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
