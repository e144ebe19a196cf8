import { closeSync, existsSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { deadlineIn, poll } from '../../support/deadline.ts';
import { attachDeviceProgram } from '../bpf/load.ts';
import type { Hierarchies } from './hierarchies.ts';
import { findPlaces } from './places.ts';
import { type CgroupPlan, type CgroupRequest, planCgroup } from './plan.ts';
import { removeEmpty, removeTree } from './remove.ts';
import { makeDirectory, refused, writeSetting } from './write.ts';

/** A killed process that the kernel has not let go of by then is stuck in the kernel. */
const REMOVAL_TIMEOUT = 10_000;

/** The cgroups of one container. */
export interface Cgroup extends CgroupPlan {
  /** Kills what is still inside, waits for its end and removes the directories. Removing twice is no error. */
  remove(): Promise<void>;
}

/**
 * Makes the cgroups of a container, sets its limits and restricts its devices. A failure leaves none.
 *
 * @param request `deviceProgram`: fd of a loaded program for device access, which goes with `devices`
 * @throws MayflyError those of `planCgroup`; `cgroup.refused` when the kernel does not take a directory or a setting;
 * `cgroup.unsupported` when it lacks one.
 */
export function createCgroup(
  hierarchies: Hierarchies,
  request: CgroupRequest & { readonly deviceProgram?: number | undefined },
): Cgroup {
  const plan = planCgroup(hierarchies, request);
  try {
    for (const directory of plan.directories) makeDirectory(directory);
    for (const write of plan.writes) writeSetting(write);
    if (plan.unified !== undefined && request.deviceProgram !== undefined)
      restrictDevices(plan.unified, request.deviceProgram);
  } catch (error) {
    removeEmpty(plan.directories);
    removeEmpty(plan.directories.map(dirname));
    throw error;
  }
  return { ...plan, remove: () => removeCgroups(plan.possible) };
}

/** Removes the cgroups of containers that are dead, in every hierarchy. */
export async function sweepCgroups(hierarchies: Hierarchies, ids: readonly string[]): Promise<void> {
  await removeCgroups(ids.flatMap((id) => findPlaces(hierarchies, id).all));
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

function restrictDevices(path: string, program: number): void {
  const fd = openSync(path, 'r');
  try {
    attachDeviceProgram(program, { fd, path });
  } catch (error) {
    throw refused(`restrict device access in ${path}`, error);
  } finally {
    closeSync(fd);
  }
}
