import { join } from 'node:path';
import { MayflyError } from '../../support/error.ts';
import type { Controller, Setting } from './controller.ts';
import { cpu } from './cpu.ts';
import type { Hierarchies } from './hierarchies.ts';
import { memory, OOM_FILES } from './memory.ts';
import { pids } from './pids.ts';

/** Bytes, CPUs, processes; what is left out has no limit. */
export interface Limits {
  readonly memory?: number;
  readonly cpus?: number;
  readonly pids?: number;
}

/** Directory in which all containers' cgroups lie, in every hierarchy. */
export const PARENT = 'mayfly';

/** What has to be done to the cgroup file systems for one container; a value, so that tests can read it. */
export interface CgroupPlan {
  /** cgroup2 directory, for birth into it and for killing all of it. */
  readonly unified: string | undefined;
  readonly directories: readonly string[];
  /** Controllers to hand down from the root of cgroup2 to the container. */
  readonly delegate: readonly string[];
  readonly settings: readonly (Setting & { readonly path: string })[];
  /** v1 `cgroup.procs` files that the container's first process writes itself into. */
  readonly joinFiles: readonly string[];
  readonly oomFile: string | undefined;
}

/**
 * A cgroup in the v2 hierarchy always, because being born there costs nothing; in a v1 hierarchy only for a limit that
 * was asked for, because the first move of a process into one waits 12 ms for an RCU grace period.
 *
 * @throws MayflyError `cgroup.controller-missing` when a limit was asked for that this host cannot enforce.
 */
export function planCgroup(
  { v1, v2 }: Hierarchies,
  { id, limits }: { id: string; limits: Limits },
): CgroupPlan {
  const unified = v2 && join(v2.mount, PARENT, id);
  const directories = unified === undefined ? [] : [unified];
  const delegate: string[] = [];
  const settings: (Setting & { path: string })[] = [];
  const joinFiles: string[] = [];
  let oomFile: string | undefined;
  const apply = <T>(controller: Controller<T>, limit: T | undefined) => {
    if (limit === undefined) return;
    controller.check(limit);
    const { name } = controller;
    const onV2 = v2?.controllers.has(name) === true;
    const mount = onV2 ? v2.mount : v1.get(name);
    if (mount === undefined) throw missing(name);
    const directory = join(mount, PARENT, id);
    if (onV2) delegate.push(name);
    else if (!directories.includes(directory)) {
      directories.push(directory);
      joinFiles.push(join(directory, 'cgroup.procs'));
    }
    const list = onV2 ? controller.v2(limit) : controller.v1(limit);
    settings.push(...list.map((setting) => ({ ...setting, path: join(directory, setting.file) })));
    if (name === 'memory') oomFile = join(directory, OOM_FILES[onV2 ? 'v2' : 'v1']);
  };
  apply(memory, limits.memory);
  apply(cpu, limits.cpus);
  apply(pids, limits.pids);
  return { unified, directories, delegate, settings, joinFiles, oomFile };
}

function missing(name: string): MayflyError {
  return new MayflyError(
    'cgroup.controller-missing',
    `this host has no ${name} controller, so the limit cannot be enforced`,
    {
      hint: `see /proc/cgroups and cgroup.controllers; the kernel parameter cgroup_disable may have switched ${name} off`,
    },
  );
}
