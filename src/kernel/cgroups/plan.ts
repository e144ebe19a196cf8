import { dirname, join } from 'node:path';
import { MayflyError } from '../../support/error.ts';
import type { Controller, Machine, Setting } from './controller.ts';
import { cpu } from './cpu.ts';
import { cpuset } from './cpuset.ts';
import { type DeviceRule, deviceSettings } from './device-rule.ts';
import type { Hierarchies } from './hierarchies.ts';
import { countIo, io } from './io.ts';
import type { Limits } from './limits.ts';
import { readMachine } from './machine.ts';
import { memory, OOM_FILES } from './memory.ts';
import { pids } from './pids.ts';
import { type ControllerName, findPlaces, type Place, type Places } from './places.ts';

const CONTROLLERS: readonly Controller[] = [memory, cpu, cpuset, pids, io];
/** What `readStats` reads; cpuacct where there is no cgroup2, which counts CPU time without a controller. */
const ACCOUNTING: readonly ControllerName[] = ['memory', 'cpu', 'cpuacct', 'pids', 'io'];
const CPUSET_FILES = ['cpuset.cpus', 'cpuset.mems'] as const;

export interface CgroupRequest {
  readonly id: string;
  readonly limits: Limits;
  /** Limits that are in force already. */
  readonly before?: Limits;
  /** Count what the container uses, even where that costs something: on v1. */
  readonly accounting?: boolean;
  /** The disk whose traffic is counted, `major:minor`. */
  readonly disk?: string | undefined;
  /** The only devices that may be used, by the controller of v1; `undefined`: a program says so, or did already. */
  readonly devices?: readonly DeviceRule[] | undefined;
  readonly machine?: Machine;
}

/** One file to write, by its absolute path. */
export interface Write {
  readonly path: string;
  readonly value: string | { readonly copyOf: string };
  readonly missing?: Setting['missing'];
  /** Nobody asked for it: when the kernel refuses, things go on without. */
  readonly tolerant?: true;
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
  /** For `countOomKills`; there when memory is limited or counted. Undefined where there is no memory controller. */
  readonly oomFile: string | undefined;
  /** How the kernel tells of an OOM kill while it happens; undefined when memory is neither limited nor counted yet. */
  readonly oomNotice: 'v1' | 'v2' | undefined;
  /** True when what `readStats` reads is counted from the container's birth. */
  readonly counts: boolean;
  /** Every directory that the container may be in, now or after an update. */
  readonly possible: readonly string[];
}

/**
 * A cgroup in the v2 hierarchy always, because being born there costs nothing; in a v1 hierarchy only for a limit that
 * was asked for, because the first move of a process into one waits 12 ms for an RCU grace period. Those of v1 that count
 * are joined along with the first, because the next move costs little.
 *
 * @throws MayflyError `cgroup.controller-missing` when a limit was asked for that this host cannot enforce; those of
 * the controllers' `check`.
 */
export function planCgroup(hierarchies: Hierarchies, request: CgroupRequest): CgroupPlan {
  const { id, limits, before = {}, machine = readMachine() } = request;
  const places = findPlaces(hierarchies, id);
  const plan = new PlanBuilder(hierarchies, places);
  for (const controller of CONTROLLERS) {
    if (controller.limits.every((name) => limits[name] === undefined)) continue;
    controller.check(limits, machine);
    const place = plan.require(controller.name);
    plan.set(place, controller[place.version](limits, { before, machine }));
  }
  if (request.devices !== undefined) plan.set(plan.require('devices'), deviceSettings(request.devices));
  for (const name of ACCOUNTING) {
    const place = places.find(name);
    if (place === undefined || (name === 'cpuacct' && places.unified !== undefined)) continue;
    if (place.version === 'v1' && !request.accounting && !plan.joinsV1) continue;
    plan.count(name, place);
    if (name === 'io' && place.version === 'v1' && request.disk !== undefined)
      plan.set(place, countIo(request.disk, limits), { tolerant: true });
  }
  return plan.build();
}

class PlanBuilder {
  readonly #hierarchies: Hierarchies;
  readonly #places: Places;
  readonly #directories: string[];
  readonly #joinFiles: string[] = [];
  readonly #required: string[] = [];
  readonly #counted: string[] = [];
  readonly #prepare: Write[] = [];
  readonly #settings: Write[] = [];

  constructor(hierarchies: Hierarchies, places: Places) {
    this.#hierarchies = hierarchies;
    this.#places = places;
    this.#directories = places.unified === undefined ? [] : [places.unified];
  }

  get joinsV1(): boolean {
    return this.#joinFiles.length > 0;
  }

  /** Puts the container into a controller's cgroup. */
  require(name: ControllerName): Place {
    const place = this.#places.find(name);
    if (place === undefined) throw missingController(name, this.#hierarchies);
    if (place.version === 'v2') this.#required.push(name);
    else this.#join(place);
    return place;
  }

  /** As `require`, but nobody will miss it. */
  count(name: ControllerName, place: Place): void {
    if (place.version === 'v1') this.#join(place);
    else if (!this.#required.includes(name)) this.#counted.push(name);
  }

  set({ directory }: Place, settings: readonly Setting[], how: { tolerant?: true } = {}): void {
    for (const { file, value, missing } of settings)
      this.#settings.push({ path: join(directory, file), value, ...(missing ? { missing } : {}), ...how });
  }

  build(): CgroupPlan {
    const memoryPlace = this.#places.find('memory');
    return {
      unified: this.#places.unified,
      directories: this.#directories,
      writes: [
        ...this.#delegate(this.#required, {}),
        ...this.#delegate(this.#counted, { tolerant: true }),
        ...this.#prepare,
        ...this.#settings,
      ],
      joinFiles: this.#joinFiles,
      oomFile: memoryPlace && join(memoryPlace.directory, OOM_FILES[memoryPlace.version]),
      oomNotice: this.#inForce('memory') ? memoryPlace?.version : undefined,
      counts: this.#inForce('memory') || this.#counted.includes('memory'),
      possible: this.#places.all,
    };
  }

  #inForce(name: ControllerName): boolean {
    const place = this.#places.find(name);
    if (place?.version === 'v1') return this.#directories.includes(place.directory);
    return this.#required.includes(name);
  }

  #join({ mount, directory }: Place): void {
    if (this.#directories.includes(directory)) return;
    this.#directories.push(directory);
    this.#joinFiles.push(join(directory, 'cgroup.procs'));
    // A new cpuset of v1 has no CPUs and no nodes, and nobody can move in before it has (cgroup-v1/cpusets.rst, 1.7).
    if (this.#hierarchies.v1.get('cpuset') !== mount) return;
    for (const target of [dirname(directory), directory]) {
      for (const file of CPUSET_FILES)
        this.#prepare.push({ path: join(target, file), value: { copyOf: join(dirname(target), file) } });
    }
  }

  /** v2 gives a child only the controllers that every ancestor hands down (cgroup-v2.rst, "Top-down Constraint"). */
  #delegate(controllers: readonly string[], how: { tolerant?: true }): Write[] {
    const { v2 } = this.#hierarchies;
    if (v2 === undefined || controllers.length === 0) return [];
    const value = controllers.map((name) => `+${name}`).join(' ');
    return [v2.mount, dirname(this.#places.unified!)].map((directory) => {
      return { path: join(directory, 'cgroup.subtree_control'), value, ...how };
    });
  }
}

function missingController(name: string, { v2, undelegated }: Hierarchies): MayflyError {
  if (undelegated) {
    return new MayflyError(
      'cgroup.not-delegated',
      `an ordinary user may set no limits on this host: nobody has delegated cgroups to him (${name} is wanted)`,
      { hint: 'leave the limit out, or run the tests as root' },
    );
  }
  const where =
    v2 !== undefined
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
