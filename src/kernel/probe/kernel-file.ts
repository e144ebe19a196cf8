import { accessSync, constants, readFileSync } from 'node:fs';
import { isErrno } from '../ffi/system-error.ts';

/** The text of a small file of the kernel's, or of /etc, without its last line feed; undefined when it cannot be had. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EINVAL')) return undefined;
    throw error;
  }
}

/** A sysctl by its name in sysctl(8), `user.max_user_namespaces`; undefined when this kernel has none of that name. */
export function readSysctl(name: string): string | undefined {
  return readIfThere(sysctlPath(name));
}

/** False where /proc/sys is read-only, as it is in most containers. */
export function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

export function sysctlPath(name: string): string {
  return `/proc/sys/${name.replaceAll('.', '/')}`;
}
