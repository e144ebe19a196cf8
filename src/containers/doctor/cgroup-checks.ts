import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { prepareDeviceAccess } from '../../kernel/cgroups/device-access.ts';
import { DEFAULT_DEVICE_RULES, deviceSettings } from '../../kernel/cgroups/device-rule.ts';
import { detectHierarchies, type Hierarchies } from '../../kernel/cgroups/hierarchies.ts';
import { readMachine } from '../../kernel/cgroups/machine.ts';
import { type ControllerName, findPlaces } from '../../kernel/cgroups/places.ts';
import { makeCgroup } from '../../kernel/probe/cgroup.ts';
import { findDelegation } from '../../kernel/probe/delegation.ts';
import { readIfThere } from '../../kernel/probe/kernel-file.ts';
import { type Failure, failureOf, WORKS } from '../../kernel/probe/throwaway.ts';
import { isMayflyError } from '../../support/error.ts';
import type { Check, Examine } from './check.ts';
import { describeFailure } from './describe-failure.ts';

/** The options that each controller enforces. */
const OPTIONS = { memory: 'memory', cpu: 'cpus', cpuset: 'cpuset', pids: 'pids', io: 'ioRates' } as const;
type Limiting = keyof typeof OPTIONS;
const LIMITING = Object.keys(OPTIONS) as Limiting[];

/** What limits and counts. */
export const examineCgroups: Examine = (examination) => {
  const hierarchies = detectHierarchies();
  if (examination.rung === 'rootless') return [unused(hierarchies)];
  if (hierarchies.v1.size === 0 && hierarchies.v2 === undefined) return [noHierarchy()];
  return [version(hierarchies), controllers(hierarchies), ioWeight(hierarchies), devices(hierarchies)];
};

/** The version, and what of it this user may use, although containers do not yet. */
function unused(hierarchies: Hierarchies): Check {
  return {
    id: 'cgroups',
    group: 'cgroups',
    status: 'lacking',
    found: `${versionOf(hierarchies)}; ${delegated(hierarchies)}; not used without root`,
    effect: 'nothing can be limited or counted',
    fix: 'run as root where a test needs limits',
  };
}

function delegated({ v2 }: Hierarchies): string {
  const ownCgroup = readIfThere('/proc/self/cgroup') ?? '';
  const found = v2 && findDelegation(v2.mount, { uid: process.geteuid!(), ownCgroup });
  if (found === undefined) return 'nothing delegated to this user';
  return `${found.controllers.join(', ') || 'no controller'} delegated to this user in ${found.path}`;
}

function versionOf({ v1, v2 }: Hierarchies): string {
  if (v2 === undefined) return v1.size === 0 ? 'not mounted' : 'v1';
  return v1.size === 0 ? 'v2' : 'hybrid, v1 and v2';
}

function noHierarchy(): Check {
  return {
    id: 'cgroups',
    group: 'cgroups',
    status: 'missing',
    found: 'not mounted',
    effect: 'no container starts',
    fix: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup',
  };
}

/** Every container is born in a cgroup of cgroup2 where that is mounted. */
function version(hierarchies: Hierarchies): Check {
  const { v2 } = hierarchies;
  const common = { id: 'cgroups', group: 'cgroups' } as const;
  const name = versionOf(hierarchies);
  const outcome = v2 === undefined ? WORKS : makeCgroup(v2.mount);
  if (outcome.works) return { ...common, status: 'ok', found: name };
  return {
    ...common,
    status: 'missing',
    found: `${name}; ${describeFailure(outcome)}`,
    effect: 'no container starts',
    fix:
      outcome.errno === 'EROFS'
        ? `mount -o remount,rw ${v2!.mount}, or run the enclosing container with --privileged`
        : 'run as root of the machine; inside a container only a privileged one will do',
  };
}

function controllers(hierarchies: Hierarchies): Check {
  const found = LIMITING.map((name) => ({ name, place: findController(hierarchies, name) }));
  const usable = found.flatMap(({ name, place }) => (place === undefined ? [] : [`${name} (${place})`]));
  const lacking = found.flatMap(({ name, place }) => (place === undefined ? [name] : []));
  const common = { id: 'controllers', group: 'cgroups', found: usable.join(', ') || 'none' } as const;
  if (lacking.length === 0) return { ...common, status: 'ok' };
  return {
    ...common,
    status: 'lacking',
    effect: `${lacking.map((name) => OPTIONS[name]).join(', ')} cannot be limited`,
    fix: `see whether the kernel parameter cgroup_disable names ${lacking.join(', ')}`,
  };
}

/** The version in which a controller can be used; undefined when it cannot. */
function findController(hierarchies: Hierarchies, name: ControllerName): string | undefined {
  const place = findPlaces(hierarchies, 'doctor').find(name);
  return place !== undefined && makeCgroup(place.mount).works ? place.version : undefined;
}

function ioWeight({ v2 }: Hierarchies): Check {
  const machine = readMachine(v2 && join(v2.mount, 'io.cost.qos'));
  const common = { id: 'io-weight', group: 'cgroups' } as const;
  if (machine.ioWeighing !== undefined) return { ...common, status: 'ok', found: `by ${machine.ioWeighing}` };
  return {
    ...common,
    status: 'lacking',
    found: machine.schedulers || 'no disk has a scheduler',
    effect: 'ioWeight is refused',
    fix: `modprobe bfq; echo bfq > /sys/block/${machine.schedulers.split(':')[0] || 'DISK'}/queue/scheduler`,
  };
}

/** Without it root would start containers that could open any disk. */
function devices(hierarchies: Hierarchies): Check {
  const common = { id: 'device-control', group: 'cgroups' } as const;
  const outcome = restrictDevices(hierarchies);
  if (outcome.works) return { ...common, status: 'ok', found: outcome.how };
  return {
    ...common,
    status: 'missing',
    found: describeFailure(outcome),
    effect: 'no container starts',
    fix: 'run with CAP_SYS_ADMIN or CAP_BPF over the machine, on a kernel with CONFIG_CGROUP_BPF',
  };
}

function restrictDevices(hierarchies: Hierarchies): (typeof WORKS & { how: string }) | Failure {
  try {
    const access = prepareDeviceAccess(hierarchies, DEFAULT_DEVICE_RULES);
    if ('deviceProgram' in access) {
      closeSync(access.deviceProgram);
      return { works: true, how: 'by BPF' };
    }
    const outcome = makeCgroup(hierarchies.v1.get('devices')!, deviceSettings(access.devices));
    return outcome.works ? { ...outcome, how: 'by the controller of v1' } : outcome;
  } catch (error) {
    if (!isMayflyError(error, 'cgroup.devices-unavailable')) throw error;
    // Without a cause there was nothing to try.
    if (error.cause !== undefined) return failureOf(error.cause);
    return { works: false, step: 'find cgroup2 or a devices controller', errno: 'ENOENT' };
  }
}
