import { userInfo } from 'node:os';
import { CAPABILITIES, type CapabilityName } from '../../kernel/capabilities.ts';
import { containerNamespaces, timeNamespace } from '../../kernel/probe/namespaces.ts';
import { readProcessStatus } from '../../kernel/probe/process-status.ts';
import type { Check, Examination, Examine } from './check.ts';
import { describeFailure } from './describe-failure.ts';
import { missingNamespaceLimit } from './namespace-limits.ts';

/** What goes without each capability; of those that containers start without. */
const EFFECTS: Partial<Record<CapabilityName, string>> = {
  CAP_SYS_RESOURCE: 'limits such as those of open files cannot be raised above what this process has',
  CAP_SYS_PTRACE: 'containers of other processes cannot be looked into',
  CAP_SYS_CHROOT: 'images cannot be unpacked',
  CAP_MKNOD: 'images with device nodes cannot be unpacked',
  CAP_SETFCAP: 'programs in images lose their file capabilities',
  CAP_NET_ADMIN: 'containers have no network but `none` and `host`',
  CAP_BPF: 'device access cannot be restricted on cgroup2',
};

/** Who this process is, and whether the kernel makes the namespaces of a container for it. */
export const examinePrivileges: Examine = async (examination) => [
  user(examination),
  ...(examination.rung === 'root' ? [capabilities()] : []),
  await namespaces(examination),
  await time(examination),
];

function user({ rung }: Examination): Check {
  const found = rung === 'root' ? 'root' : `${nameOf(process.geteuid!())}, an ordinary user`;
  return { id: 'user', group: 'privileges', status: 'ok', found };
}

export function nameOf(uid: number): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in /etc/passwd.
    return `uid ${uid}`;
  }
}

function capabilities(): Check {
  const { capabilities: present } = readProcessStatus();
  const missing = (Object.keys(CAPABILITIES) as CapabilityName[]).filter((name) => !present.has(name));
  const felt = missing.filter((name) => name in EFFECTS);
  const common = { id: 'capabilities', group: 'privileges' } as const;
  if (missing.length === 0) return { ...common, status: 'ok', found: 'all' };
  const found =
    missing.length > 5
      ? `${present.size} of ${present.size + missing.length}`
      : `all but ${missing.join(', ')}`;
  if (felt.length === 0) return { ...common, status: 'ok', found };
  return {
    ...common,
    status: 'lacking',
    found,
    effect: felt.map((name) => `without ${name} ${EFFECTS[name]}`).join('; '),
    fix: `give this process ${felt.join(', ')}: --cap-add of the enclosing container, or CapabilityBoundingSet= of its service`,
  };
}

async function namespaces({ laboratory, user: who, asRoot }: Examination): Promise<Check> {
  const outcome = await laboratory.attempt(containerNamespaces(who));
  const common = { id: 'namespaces', group: 'privileges' } as const;
  if (outcome.works) return { ...common, status: 'ok', found: 'mount, pid, network, ipc, uts, cgroup' };
  const limit = missingNamespaceLimit();
  let fix = 'run as root; inside a container only a privileged one will do (docker run --privileged)';
  if (outcome.errno === 'ENOSPC' && limit !== undefined) fix = asRoot(`sysctl -w ${limit}=10000`);
  if (/\bproc\b/.test(outcome.step))
    fix =
      'parts of /proc are covered: run the enclosing container with --security-opt unmask=ALL (podman) or --privileged';
  return {
    ...common,
    status: 'missing',
    found: describeFailure(outcome),
    effect: 'no container starts',
    fix,
  };
}

async function time({ laboratory, user: who }: Examination): Promise<Check> {
  const outcome = await laboratory.attempt(timeNamespace(who));
  const common = { id: 'time-namespaces', group: 'privileges' } as const;
  if (outcome.works) return { ...common, status: 'ok', found: 'can be made' };
  return {
    ...common,
    status: 'lacking',
    found: describeFailure(outcome),
    effect: 'clocks of containers cannot be set apart',
    fix: 'boot Linux 5.6 or later with CONFIG_TIME_NS',
  };
}
