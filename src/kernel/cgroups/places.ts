import { join } from 'node:path';
import type { Hierarchies } from './hierarchies.ts';

/** Directory in which all containers' cgroups lie, in every hierarchy. */
export const PARENT = 'mayfly';

/** Controllers that mayfly knows, by their names in v2 (cpuacct and devices are v1's only). */
export type ControllerName = 'cpu' | 'cpuacct' | 'cpuset' | 'memory' | 'pids' | 'io' | 'devices';

/** Where one controller of one container is set and read; the directory need not exist. */
export interface Place {
  readonly version: 'v1' | 'v2';
  /** Mount point of the hierarchy. */
  readonly mount: string;
  readonly directory: string;
}

/** Where the cgroups of one container lie, made or not: the same for every process of this host. */
export interface Places {
  /** cgroup2 directory, there in every container's life where cgroup2 is mounted. */
  readonly unified: string | undefined;
  /** Undefined for a controller that this host lacks. A controller of cgroup2 goes before the same one of v1. */
  find(name: ControllerName): Place | undefined;
  /** One directory in each hierarchy that a container may ever be in. */
  readonly all: readonly string[];
}

const CONTROLLERS: readonly ControllerName[] = ['cpu', 'cpuset', 'memory', 'pids', 'io', 'devices'];

export function findPlaces({ v1, v2 }: Hierarchies, id: string): Places {
  const find = (name: ControllerName): Place | undefined => {
    if (v2?.controllers.has(name))
      return { version: 'v2', mount: v2.mount, directory: join(v2.mount, PARENT, id) };
    const mount = v1.get(name === 'io' ? 'blkio' : name);
    return mount === undefined ? undefined : { version: 'v1', mount, directory: join(mount, PARENT, id) };
  };
  const unified = v2 && join(v2.mount, PARENT, id);
  const all = new Set(unified === undefined ? [] : [unified]);
  // cgroup2 counts CPU time without a controller.
  for (const name of unified === undefined ? ([...CONTROLLERS, 'cpuacct'] as const) : CONTROLLERS) {
    const place = find(name);
    if (place !== undefined) all.add(place.directory);
  }
  return { unified, find, all: [...all] };
}
