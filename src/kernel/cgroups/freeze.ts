import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deadlineIn, poll } from '../../support/deadline.ts';
import { MayflyError } from '../../support/error.ts';
import { isErrno } from '../ffi/system-error.ts';
import type { Places } from './places.ts';
import { refused } from './write.ts';

/** A process in an uninterruptible system call freezes only when that is over. */
const FREEZE_TIMEOUT = 10_000;

/**
 * How a freezer is spoken to: cgroup2's is part of its core, since Linux 5.2, and there even where v1 has all
 * controllers; the other is a controller of v1 (cgroup-v2.rst "Core Interface Files"; cgroup-v1/freezer-subsystem.rst).
 */
const FREEZERS = {
  v2: { file: 'cgroup.freeze', frozen: '1', thawed: '0', state: 'cgroup.events', isFrozen: /^frozen 1$/m },
  v1: {
    file: 'freezer.state',
    frozen: 'FROZEN',
    thawed: 'THAWED',
    state: 'freezer.state',
    isFrozen: /^FROZEN/,
  },
} as const;

type Freezer = (typeof FREEZERS)['v1' | 'v2'] & { readonly directory: string };

/**
 * Stops every process of a container where it is; resolves when all of them stand still.
 *
 * @throws MayflyError `wait.timeout` when one does not within 10 seconds; then all go on. `cgroup.controller-missing` where
 * there is neither cgroup2 nor the freezer controller
 */
export async function freeze(places: Places): Promise<void> {
  const freezer = findFreezer(places);
  if (freezer === undefined) throw noFreezer();
  write(freezer, freezer.frozen);
  try {
    await poll(() => isFrozen(places) || undefined, {
      deadline: deadlineIn(FREEZE_TIMEOUT),
      what: `freezing ${freezer.directory}`,
    });
  } catch (error) {
    write(freezer, freezer.thawed);
    throw error;
  }
}

/** Lets them go on. Thawing what is not frozen, or gone, is no error. */
export function thaw(places: Places): void {
  const freezer = findFreezer(places);
  if (freezer !== undefined) write(freezer, freezer.thawed);
}

export function isFrozen(places: Places): boolean {
  const freezer = findFreezer(places);
  if (freezer === undefined) return false;
  const { directory, state, isFrozen: pattern } = freezer;
  try {
    return pattern.test(readFileSync(join(directory, state), 'latin1'));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return false;
    throw error;
  }
}

function findFreezer({ unified, find }: Places): Freezer | undefined {
  if (unified !== undefined) return { ...FREEZERS.v2, directory: unified };
  const place = find('freezer');
  return place && { ...FREEZERS.v1, directory: place.directory };
}

function noFreezer(): MayflyError {
  return new MayflyError(
    'cgroup.controller-missing',
    'this host mounts neither cgroup2 nor the freezer controller, so nothing can be paused',
    { hint: 'mount -t cgroup2 none /sys/fs/cgroup/unified' },
  );
}

function write({ directory, file, thawed }: Freezer, value: string): void {
  const path = join(directory, file);
  try {
    writeFileSync(path, value, { flag: 'r+' });
  } catch (error) {
    if (value === thawed && isErrno(error, 'ENOENT', 'ENODEV')) return;
    throw refused(`write ${JSON.stringify(value)} to ${path}`, error);
  }
}
