import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deadlineIn, poll } from '../../support/deadline.ts';
import { MayflyError } from '../../support/error.ts';
import { isErrno } from '../ffi/system-error.ts';
import type { Hierarchies } from './hierarchies.ts';
import { type CgroupPlan, type Limits, PARENT, planCgroup } from './plan.ts';
import { removeEmpty, removeTree } from './remove.ts';

/** A killed process that the kernel has not let go of by then is stuck in the kernel. */
const REMOVAL_TIMEOUT = 10_000;

/** How often a parent directory is made again that other processes remove meanwhile. */
const MAKE_ATTEMPTS = 100;

/** The cgroups of one container. */
export interface Cgroup extends CgroupPlan {
  /** Kills what is still inside, waits for its end and removes the directories. Removing twice is no error. */
  remove(): Promise<void>;
}

/**
 * Makes the cgroups of a container and sets its limits. A failure leaves none.
 *
 * @throws MayflyError `cgroup.memory-too-small`, `cgroup.cpus-out-of-range`, `cgroup.pids-out-of-range`,
 * `cgroup.controller-missing`, `cgroup.refused` when the kernel does not take a directory or a setting.
 */
export function createCgroup(hierarchies: Hierarchies, request: { id: string; limits: Limits }): Cgroup {
  const plan = planCgroup(hierarchies, request);
  try {
    for (const directory of plan.directories) makeDirectory(directory);
    for (const { path, value, optional } of plan.writes) {
      if (!optional || existsSync(path)) write(path, value);
    }
  } catch (error) {
    removeEmpty(plan.directories);
    removeEmpty(plan.directories.map(dirname));
    throw error;
  }
  return { ...plan, remove: () => removeCgroups(plan.directories) };
}

/** Removes the cgroups of containers that are dead, in every hierarchy. */
export async function sweepCgroups({ v1, v2 }: Hierarchies, ids: readonly string[]): Promise<void> {
  const mounts = new Set([...(v2 ? [v2.mount] : []), ...v1.values()]);
  await removeCgroups(ids.flatMap((id) => [...mounts].map((mount) => join(mount, PARENT, id))));
}

async function removeCgroups(directories: readonly string[]): Promise<void> {
  const present = directories.filter((directory) => existsSync(directory));
  if (present.length > 0) {
    await poll(() => (present.map(removeTree).every(Boolean) ? true : undefined), {
      deadline: deadlineIn(REMOVAL_TIMEOUT),
      what: `removing ${present.join(', ')}`,
    });
  }
  // Stays while other containers have theirs in it.
  removeEmpty([...new Set(directories.map(dirname))]);
}

function makeDirectory(path: string): void {
  // Not `recursive`, with which Node tries for ever where mkdir says ENOENT although the parent is there. Several
  // times, because another process may remove the parent, empty as it is, before our directory is in it.
  for (let attempt = 1; ; attempt += 1) {
    try {
      mkdirSync(path);
      return;
    } catch (error) {
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

function write(path: string, value: string): void {
  try {
    // Without O_CREAT: a missing file is ENOENT, not the EACCES of a file system that makes no files.
    writeFileSync(path, value, { flag: 'r+' });
  } catch (error) {
    throw refused(`write ${JSON.stringify(value)} to ${path}`, error);
  }
}

function refused(what: string, cause: unknown): MayflyError {
  const errno = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new MayflyError('cgroup.refused', `cannot ${what}: ${errno}`, { cause, hint: hintFor(cause) });
}

function hintFor(error: unknown): string {
  // cgroup-v2.rst, "No Internal Process Constraint"
  if (isErrno(error, 'EBUSY')) {
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
