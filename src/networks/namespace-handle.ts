import { closeSync, fstatSync, openSync } from 'node:fs';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { FDS } from '../kernel/program/abi.ts';

/** A network's namespace, kept alive by an open descriptor. */
export interface NamespaceHandle {
  readonly fd: number;
  readonly inode: number;
}

/** The namespace that a shim holds, or undefined when the shim is gone or holds another than `inode`. */
export function openFromShim(pid: number, inode?: number): NamespaceHandle | undefined {
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/fd/${FDS.network}`, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'ENXIO')) return undefined;
    throw error;
  }
  const found = fstatSync(fd).ino;
  if (inode === undefined || found === inode) return { fd, inode: found };
  closeSync(fd);
  return undefined;
}
