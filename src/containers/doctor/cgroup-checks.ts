import { closeSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { prepareDeviceAccess } from '../../kernel/cgroups/device-access.ts';
import { DEFAULT_DEVICE_RULES, deviceSettings } from '../../kernel/cgroups/device-rule.ts';
import { detectHierarchies, type Hierarchies } from '../../kernel/cgroups/hierarchies.ts';
import { readMachine } from '../../kernel/cgroups/machine.ts';
import { type ControllerName, findPlaces } from '../../kernel/cgroups/places.ts';
import { makeCgroup, ownCgroup } from '../../kernel/probe/cgroup.ts';
import { readIfThere } from '../../kernel/probe/kernel-file.ts';
import { type Failure, failureOf, WORKS } from '../../kernel/probe/throwaway.ts';
import { isMayflyError } from '../../support/error.ts';
import type { Check, Examination, Examine } from './check.ts';
import { describeFailure } from './describe-failure.ts';

/** The options that each controller enforces. */
const OPTIONS = { memory: 'memory', cpu: 'cpus', cpuset: 'cpuset', pids: 'pids', io: 'ioRates' } as const;
type Limiting = keyof typeof OPTIONS;
const LIMITING = Object.keys(OPTIONS) as Limiting[];

/** What limits and counts. */
export const examineCgroups: Examine = (examination) => {
  const hierarchies = detectHierarchies();
  const { v1, v2 } = hierarchies;
  if (v1.size === 0 && v2 === undefined) return [noHierarchy(examination)];
  const first = version(hierarchies, examination);
  if (examination.rung === 'root')
    return [
      first,
      controllers(hierarchies, examination),
      ioWeight(hierarchies, examination),
      devices(hierarchies),
    ];
  // Device access and I/O are the administrator's business.
  return first.status === 'ok' ? [first, controllers(hierarchies, examination)] : [first];
};

function noHierarchy({ rung, asRoot }: Examination): Check {
  return {
    id: 'cgroups',
    group: 'cgroups',
    ...(rung === 'root'
      ? { status: 'missing', effect: 'no container starts' }
      : { status: 'lacking', effect: 'nothing can be limited or counted' }),
    found: 'not mounted',
    fix: asRoot('mount -t cgroup2 cgroup2 /sys/fs/cgroup'),
  };
}

/** Every container is born in a cgroup of cgroup2 where that is mounted. */
function version({ v1, v2 }: Hierarchies, examination: Examination): Check {
  const { rung } = examination;
  const common = { id: 'cgroups', group: 'cgroups' } as const;
  const name = v2 === undefined ? 'v1' : v1.size === 0 ? 'v2' : 'hybrid, v1 and v2';
  const outcome = v2 === undefined ? WORKS : makeCgroup(baseOf(v2.mount, rung));
  if (outcome.works) return { ...common, status: 'ok', found: name };
  const found = `${name}; ${describeFailure(outcome)}`;
  if (rung === 'rootless')
    return {
      ...common,
      status: 'lacking',
      found,
      effect: 'nothing can be limited or counted',
      fix: delegation(v2!.mount, examination),
    };
  return {
    ...common,
    status: 'missing',
    found,
    effect: 'no container starts',
    fix:
      outcome.errno === 'EROFS'
        ? `mount -o remount,rw ${v2!.mount}, or run the enclosing container with --privileged`
        : 'run as root of the machine; inside a container only a privileged one will do',
  };
}

function controllers(hierarchies: Hierarchies, examination: Examination): Check {
  const { rung } = examination;
  const found = LIMITING.map((name) => ({ name, place: findController(hierarchies, { name, rung }) }));
  const usable = found.flatMap(({ name, place }) => (place === undefined ? [] : [`${name} (${place})`]));
  const lacking = found.flatMap(({ name, place }) => (place === undefined ? [name] : []));
  const common = { id: 'controllers', group: 'cgroups', found: usable.join(', ') || 'none' } as const;
  if (lacking.length === 0) return { ...common, status: 'ok' };
  return {
    ...common,
    status: 'lacking',
    effect: `${lacking.map((name) => OPTIONS[name]).join(', ')} cannot be limited`,
    fix:
      rung === 'rootless' && hierarchies.v2 !== undefined
        ? delegation(hierarchies.v2.mount, examination)
        : `see whether the kernel parameter cgroup_disable names ${lacking.join(', ')}`,
  };
}

/** Where a controller can be used; undefined when it cannot. */
function findController(
  hierarchies: Hierarchies,
  { name, rung }: { name: ControllerName; rung: Examination['rung'] },
): string | undefined {
  const place = findPlaces(hierarchies, 'doctor').find(name);
  if (place === undefined) return undefined;
  const base = baseOf(place.mount, rung);
  // An ordinary user has what its own cgroup was given, and of v1 nothing.
  if (rung === 'rootless') {
    const given = readIfThere(join(base, 'cgroup.controllers'))?.split(' ') ?? [];
    if (place.version === 'v1' || !given.includes(name)) return undefined;
  }
  return makeCgroup(base).works ? place.version : undefined;
}

function ioWeight({ v2 }: Hierarchies, { asRoot }: Examination): Check {
  const machine = readMachine(v2 && join(v2.mount, 'io.cost.qos'));
  const common = { id: 'io-weight', group: 'cgroups' } as const;
  if (machine.ioWeighing !== undefined) return { ...common, status: 'ok', found: `by ${machine.ioWeighing}` };
  return {
    ...common,
    status: 'lacking',
    found: machine.schedulers || 'no disk has a scheduler',
    effect: 'ioWeight is refused',
    fix: asRoot(
      `sh -c 'modprobe bfq; echo bfq > /sys/block/${machine.schedulers.split(':')[0] || 'DISK'}/queue/scheduler'`,
    ),
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

/** How an ordinary user comes by a cgroup of its own (systemd.resource-control(5), cgroup-v2.rst "Delegation"). */
function delegation(mount: string, { asRoot }: Examination): string {
  if (existsSync('/run/systemd/system')) {
    const file = '/etc/systemd/system/user@.service.d/mayfly.conf';
    return `${asRoot(`sh -c 'mkdir -p ${dirname(file)}; printf "[Service]\\nDelegate=yes\\n" > ${file}; systemctl daemon-reload'`)}, then log in again`;
  }
  const directory = join(mount, `user-${process.geteuid!()}`);
  const owner = `${process.geteuid!()}:${process.getegid!()}`;
  return asRoot(
    `sh -c 'mkdir ${directory}; chown ${owner} ${directory} ${directory}/cgroup.*; echo ${process.ppid} > ${directory}/cgroup.procs'`,
  );
}

/** Root's containers lie below the root of the hierarchy, an ordinary user's below the cgroup that it was given. */
function baseOf(mount: string, rung: Examination['rung']): string {
  return rung === 'root' ? mount : join(mount, ownCgroup(readFileSync('/proc/self/cgroup', 'latin1')));
}
