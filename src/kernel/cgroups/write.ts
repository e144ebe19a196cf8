import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { debugLog } from '../../support/debug.ts';
import { MayflyError } from '../../support/error.ts';
import { isErrno } from '../ffi/system-error.ts';
import type { Write } from './plan.ts';

/** How often a parent directory is made again that other processes remove meanwhile. */
const MAKE_ATTEMPTS = 100;

const debug = debugLog('cgroup');

/** Makes the directory of a cgroup and its parent; one that is there already is left as it is. */
export function makeDirectory(path: string): void {
  // Not `recursive`, with which Node tries for ever where mkdir says ENOENT although the parent is there. Several
  // times, because another process may remove the parent, empty as it is, before our directory is in it.
  for (let attempt = 1; ; attempt += 1) {
    try {
      mkdirSync(path);
      return;
    } catch (error) {
      if (isErrno(error, 'EEXIST')) return;
      if (!isErrno(error, 'ENOENT', 'ENODEV') || attempt === MAKE_ATTEMPTS)
        throw refused(`make ${path}`, error);
    }
    try {
      mkdirSync(dirname(path));
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw refused(`make ${dirname(path)}`, error);
    }
  }
}

/**
 * Writes one setting.
 *
 * @throws MayflyError `cgroup.refused`; `cgroup.unsupported` when the kernel lacks what was asked for
 */
export function writeSetting({ path, value, missing, tolerant }: Write): void {
  if (missing !== undefined && !existsSync(path)) {
    if (missing === 'skip') return;
    throw new MayflyError('cgroup.unsupported', missing.message, { hint: missing.hint });
  }
  const text = typeof value === 'string' ? value : readFileSync(value.copyOf, 'latin1').trim();
  try {
    // Without O_CREAT: a missing file is ENOENT, not the EACCES of a file system that makes no files.
    writeFileSync(path, text, { flag: 'r+' });
  } catch (error) {
    if (!tolerant) throw refused(`write ${JSON.stringify(text)} to ${path}`, error, hintFor(error, path));
    debug('%s does not take %s: %o', path, text, error);
  }
}

export function refused(what: string, cause: unknown, hint = hintFor(cause)): MayflyError {
  const errno = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new MayflyError('cgroup.refused', `cannot ${what}: ${errno}`, { cause, hint });
}

function hintFor(error: unknown, path = ''): string {
  if (isErrno(error, 'EBUSY')) {
    // cgroup-v1/memory.rst, 3.1: what cannot be reclaimed keeps the limit where it is.
    if (basename(path).startsWith('memory.')) return 'the container uses more than that at the moment';
    // cgroup-v2.rst, "No Internal Process Constraint"
    return 'processes live in that cgroup, so it cannot hand controllers down: move them into a child of it first';
  }
  if (isErrno(error, 'EROFS', 'EACCES', 'EPERM')) {
    return 'the cgroup file system has to be writable for this process; inside a container that takes a privileged one';
  }
  if (isErrno(error, 'ENOENT', 'ENODEV')) {
    return 'the kernel lacks this setting, or something removed the cgroup meanwhile';
  }
  return 'see dmesg; the limits that were asked for may contradict those of an enclosing cgroup';
}
