import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deadlineIn, poll } from '../../support/deadline.ts';
import { MayflyError } from '../../support/error.ts';
import { call } from '../ffi/libc.ts';
import { isErrno } from '../ffi/system-error.ts';
import type { Hierarchies } from './hierarchies.ts';
import { type CgroupPlan, type Limits, PARENT, planCgroup } from './plan.ts';

const SIGKILL = 9;
/** A killed process that the kernel has not let go of by then is stuck in the kernel. */
const REMOVAL_TIMEOUT = 10_000;

/** The cgroups of one container. */
export interface Cgroup extends CgroupPlan {
  /** Kills what is still inside, waits for its end and removes the directories. Removing twice is no error. */
  remove(): Promise<void>;
}

/**
 * Makes the cgroups of a container and sets its limits. A failure leaves none.
 *
 * @throws MayflyError `cgroup.memory-too-small`, `cgroup.cpus-out-of-range`, `cgroup.controller-missing`,
 * `cgroup.refused` when the kernel does not take a setting.
 */
export function createCgroup(hierarchies: Hierarchies, request: { id: string; limits: Limits }): Cgroup {
  const plan = planCgroup(hierarchies, request);
  try {
    for (const directory of plan.directories) mkdirSync(directory, { recursive: true });
    delegateControllers(hierarchies, plan.delegate);
    for (const { path, value, optional } of plan.settings) {
      if (!optional || existsSync(path)) writeFileSync(path, value);
    }
  } catch (error) {
    removeEmpty(plan.directories);
    throw new MayflyError(
      'cgroup.refused',
      `cannot set up the container's cgroup: ${(error as Error).message}`,
      {
        cause: error,
        hint: 'the cgroup file systems have to be writable for this process',
      },
    );
  }
  return { ...plan, remove: () => removeCgroups(plan.directories) };
}

/** Removes the cgroups of containers that are dead, in every hierarchy. */
export async function sweepCgroups({ v1, v2 }: Hierarchies, ids: readonly string[]): Promise<void> {
  const mounts = new Set([...(v2 ? [v2.mount] : []), ...v1.values()]);
  await removeCgroups(ids.flatMap((id) => [...mounts].map((mount) => join(mount, PARENT, id))));
}

/** v2 gives a child only the controllers that every ancestor hands down. */
function delegateControllers({ v2 }: Hierarchies, controllers: readonly string[]): void {
  if (v2 === undefined || controllers.length === 0) return;
  const words = controllers.map((name) => `+${name}`).join(' ');
  for (const directory of [v2.mount, join(v2.mount, PARENT)])
    writeFileSync(join(directory, 'cgroup.subtree_control'), words);
}

async function removeCgroups(directories: readonly string[]): Promise<void> {
  const present = directories.filter((directory) => existsSync(directory));
  if (present.length > 0) {
    await poll(() => (present.map(removeOne).every(Boolean) ? true : undefined), {
      deadline: deadlineIn(REMOVAL_TIMEOUT),
      what: `removing ${present.join(', ')}`,
    });
  }
  removeEmpty([...new Set(directories.map(dirname))]);
}

/** True when the directory is gone. A busy one is emptied by force and tried again by the caller. */
function removeOne(directory: string): boolean {
  if (removeEmpty([directory])) return true;
  const kill = join(directory, 'cgroup.kill');
  if (existsSync(kill)) writeFileSync(kill, '1');
  else for (const pid of readPids(directory)) killPid(pid);
  return false;
}

function removeEmpty(directories: readonly string[]): boolean {
  let gone = true;
  for (const directory of directories) {
    try {
      rmdirSync(directory);
    } catch (error) {
      if (isErrno(error, 'EBUSY', 'ENOTEMPTY')) gone = false;
      else if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
  return gone;
}

function readPids(directory: string): number[] {
  try {
    return readFileSync(join(directory, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean).map(Number);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return [];
    throw error;
  }
}

function killPid(pid: number): void {
  try {
    call('kill', [pid, SIGKILL], `kill process ${pid}`);
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}
