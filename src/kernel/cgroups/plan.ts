import { join } from 'node:path';
import { MayflyError } from '../../support/error.ts';
import type { Controller } from './controller.ts';
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

/** One file to write, by its absolute path. */
export interface Write {
  readonly path: string;
  readonly value: string;
  /** Left out where the kernel lacks the file. */
  readonly optional: boolean;
}

/** What has to be done to the cgroup file systems for one container; a value, so that tests can read it. */
export interface CgroupPlan {
  /** cgroup2 directory, for birth into it and for killing all of it. */
  readonly unified: string | undefined;
  /** To be made before anything is written. */
  readonly directories: readonly string[];
  /** In order: v2 controllers are handed down before their files are there to be written. */
  readonly writes: readonly Write[];
  /** v1 `cgroup.procs` files that the container's first process writes itself into. */
  readonly joinFiles: readonly string[];
  /** For `countOomKills`; undefined without a memory limit. */
  readonly oomFile: string | undefined;
}

/**
 * A cgroup in the v2 hierarchy always, because being born there costs nothing; in a v1 hierarchy only for a limit that
 * was asked for, because the first move of a process into one waits 12 ms for an RCU grace period.
 *
 * @throws MayflyError `cgroup.controller-missing` when a limit was asked for that this host cannot enforce; those of
 * the controllers' `check`.
 */
export function planCgroup(
  { v1, v2 }: Hierarchies,
  { id, limits }: { id: string; limits: Limits },
): CgroupPlan {
  const unified = v2 && join(v2.mount, PARENT, id);
  const directories = unified === undefined ? [] : [unified];
  const delegate: string[] = [];
  const settings: Write[] = [];
  const joinFiles: string[] = [];
  let oomFile: string | undefined;
  const apply = <T>(controller: Controller<T>, limit: T | undefined) => {
    if (limit === undefined) return;
    controller.check(limit);
    const { name } = controller;
    const onV2 = v2?.controllers.has(name) === true;
    const mount = onV2 ? v2.mount : v1.get(name);
    if (mount === undefined) throw missing(name, v2 !== undefined);
    const directory = join(mount, PARENT, id);
    if (onV2) delegate.push(name);
    else if (!directories.includes(directory)) {
      directories.push(directory);
      joinFiles.push(join(directory, 'cgroup.procs'));
    }
    const list = onV2 ? controller.v2(limit) : controller.v1(limit);
    for (const { file, value, optional = false } of list)
      settings.push({ path: join(directory, file), value, optional });
    if (name === 'memory') oomFile = join(directory, OOM_FILES[onV2 ? 'v2' : 'v1']);
  };
  apply(memory, limits.memory);
  apply(cpu, limits.cpus);
  apply(pids, limits.pids);
  const writes = [...(v2 === undefined ? [] : delegateControllers(v2.mount, delegate)), ...settings];
  return { unified, directories, writes, joinFiles, oomFile };
}

/** v2 gives a child only the controllers that every ancestor hands down (cgroup-v2.rst, "Top-down Constraint"). */
function delegateControllers(mount: string, controllers: readonly string[]): Write[] {
  if (controllers.length === 0) return [];
  const value = controllers.map((name) => `+${name}`).join(' ');
  return [mount, join(mount, PARENT)].map((directory) => {
    return { path: join(directory, 'cgroup.subtree_control'), value, optional: false };
  });
}

function missing(name: string, hasV2: boolean): MayflyError {
  const where = hasV2
    ? 'in cgroup2, and on no mounted v1 hierarchy'
    : 'on any mounted v1 hierarchy, and no cgroup2';
  return new MayflyError(
    'cgroup.controller-missing',
    `this host has no ${name} controller ${where}, so the limit cannot be enforced`,
    {
      hint: `leave the limit out, or see /proc/cgroups: the kernel parameter cgroup_disable may have switched ${name} off`,
    },
  );
}
