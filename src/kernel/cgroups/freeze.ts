import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deadlineIn, poll } from '../../support/deadline.ts';
import { MayflyError } from '../../support/error.ts';
import { isErrno } from '../ffi/system-error.ts';
import type { Places } from './places.ts';
import { refused } from './write.ts';

/** A process in an uninterruptible system call freezes only when that is over. */
const FREEZE_TIMEOUT = 10_000;
const FREEZE = 'cgroup.freeze';

/**
 * Stops every process of a container where it is; resolves when all of them stand still.
 *
 * By cgroup2's cgroup.freeze, which needs no controller and is there on hybrid hosts too (since Linux 5.2; cgroup-v2.rst,
 * "Core Interface Files"). Not by the freezer of v1: what that has frozen not even SIGKILL ends, so a container whose
 * supervisor was killed would stay for ever.
 *
 * @param within milliseconds; default: 10 seconds
 * @throws MayflyError `wait.timeout` when one does not within that time; then all go on. `cgroup.cannot-freeze` where no
 * cgroup2 is mounted
 */
export async function freeze({ unified }: Places, { within = FREEZE_TIMEOUT } = {}): Promise<void> {
  if (unified === undefined) throw cannotFreeze();
  write(unified, '1');
  try {
    await poll(() => readFrozen(unified) || undefined, {
      deadline: deadlineIn(within),
      what: `freezing ${unified}`,
    });
  } catch (error) {
    write(unified, '0');
    throw error;
  }
}

/** The same without waiting until they stand still; false when there are none, and where nothing can be frozen. */
export function beginFreeze({ unified }: Places): boolean {
  if (unified === undefined) return false;
  try {
    write(unified, '1');
    return true;
  } catch (error) {
    if (isErrno((error as Error).cause, 'ENOENT', 'ENODEV')) return false;
    throw error;
  }
}

/** What `0` written to lets them go on. @throws MayflyError `cgroup.cannot-freeze` */
export function freezeFile({ unified }: Places): string {
  if (unified === undefined) throw cannotFreeze();
  return join(unified, FREEZE);
}

/** Lets them go on. Thawing what is not frozen, or gone, is no error. */
export function thaw({ unified }: Places): void {
  if (unified !== undefined) write(unified, '0');
}

export function isFrozen({ unified }: Places): boolean {
  return unified !== undefined && readFrozen(unified);
}

function readFrozen(directory: string): boolean {
  try {
    return /^frozen 1$/m.test(readFileSync(join(directory, 'cgroup.events'), 'latin1'));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return false;
    throw error;
  }
}

function write(directory: string, value: '0' | '1'): void {
  const path = join(directory, FREEZE);
  try {
    writeFileSync(path, value, { flag: 'r+' });
  } catch (error) {
    if (value === '0' && isErrno(error, 'ENOENT', 'ENODEV')) return;
    throw refused(`write ${value} to ${path}`, error);
  }
}

function cannotFreeze(): MayflyError {
  return new MayflyError(
    'cgroup.cannot-freeze',
    'no cgroup2 is mounted on this host, so nothing can be paused',
    {
      hint: 'mkdir /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified',
    },
  );
}
