import { readSysctl } from '../../kernel/probe/kernel-file.ts';
import { userNamespace } from '../../kernel/probe/namespaces.ts';
import { readProcessStatus } from '../../kernel/probe/process-status.ts';
import { type IdRange, subordinateIds } from '../../kernel/probe/subordinate-ids.ts';
import type { Failure } from '../../kernel/probe/throwaway.ts';
import { APPARMOR_RESTRICTION, apparmorCheck } from './apparmor-check.ts';
import type { Check, Examination, Examine } from './check.ts';
import { describeFailure } from './describe-failure.ts';
import { installCommand } from './distribution.ts';
import { missingNamespaceLimit } from './namespace-limits.ts';
import { nameOf } from './privilege-checks.ts';

/** What images count on: the ids 0 to 65535. */
const IDS_WANTED = 65_536;

/** User namespaces: for an ordinary user everything hangs on them, for root `userns: 'private'`. */
export const examineUserNamespaces: Examine = async (examination) => [
  await userNamespaces(examination),
  apparmorCheck({ ...examination, restriction: readSysctl(APPARMOR_RESTRICTION) }),
  ...(examination.rung === 'rootless' ? [await subordinates(examination)] : []),
];

async function userNamespaces({ laboratory, rung, asRoot }: Examination): Promise<Check> {
  const [uid, gid] = [process.geteuid!(), process.getegid!()];
  const outcome = await laboratory.attempt(userNamespace({ uid, gid, apart: true }));
  const common = { id: 'user-namespaces', group: 'privileges' } as const;
  if (outcome.works) return { ...common, status: 'ok', found: 'can be made, and their root can mount' };
  return {
    ...common,
    ...(rung === 'root'
      ? { status: 'lacking', effect: 'containers cannot have ids of their own' }
      : { status: 'missing', effect: 'no container starts without root' }),
    found: describeFailure(outcome),
    fix: userNamespaceFix(outcome, asRoot),
  };
}

function userNamespaceFix({ errno }: Failure, asRoot: (command: string) => string): string {
  const limit = missingNamespaceLimit();
  if (limit !== undefined) return asRoot(`sysctl -w ${limit}=10000`);
  // A patch of Debian's, on by default until Debian 11.
  if (readSysctl('kernel.unprivileged_userns_clone') === '0')
    return asRoot('sysctl -w kernel.unprivileged_userns_clone=1');
  if (readSysctl(APPARMOR_RESTRICTION) === '1') return asRoot(`sysctl -w ${APPARMOR_RESTRICTION}=0`);
  if (errno === 'ENOSPC') return asRoot('sysctl -w user.max_user_namespaces=10000');
  if (readProcessStatus().seccompFilter)
    return 'run the enclosing container with --security-opt seccomp=unconfined';
  return 'boot a kernel with CONFIG_USER_NS';
}

async function subordinates({ laboratory, distribution, asRoot }: Examination): Promise<Check> {
  const uid = process.geteuid!();
  const user = { name: nameOf(uid), uid };
  const ranges = {
    uid: largest(subordinateIds('subuid', user)),
    gid: largest(subordinateIds('subgid', user)),
  };
  const common = { id: 'subordinate-ids', group: 'privileges', status: 'missing' } as const;
  const effect = 'an image that has more than one user cannot be unpacked or run';
  if (Math.min(ranges.uid.count, ranges.gid.count) < IDS_WANTED) {
    const found = `${ranges.uid.count} uids and ${ranges.gid.count} gids for ${user.name}`;
    const add = `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user.name}`;
    return { ...common, found, effect, fix: `${asRoot(add)} (choose ranges that nobody has in /etc/subuid)` };
  }
  if (readProcessStatus().noNewPrivileges) {
    return {
      ...common,
      found: 'newuidmap has no power in a process that cannot gain privileges',
      effect,
      fix: 'run without no_new_privs (NoNewPrivileges=no of the service, or no --security-opt no-new-privileges)',
    };
  }
  for (const kind of ['uid', 'gid'] as const) {
    const failure = await laboratory.inUserNamespace((pid) => mapIds(pid, { kind, range: ranges[kind] }));
    if (failure !== undefined) {
      const packages = { debian: 'uidmap', fedora: 'shadow-utils' };
      return {
        ...common,
        found: describeFailure(failure),
        effect,
        fix: asRoot(installCommand(distribution, packages)),
      };
    }
  }
  return {
    ...common,
    status: 'ok',
    found: `${ranges.uid.count} uids, ${ranges.gid.count} gids, newuidmap maps them`,
  };
}

function largest(ranges: readonly IdRange[]): IdRange {
  return ranges.reduce((best, range) => (range.count > best.count ? range : best), { first: 0, count: 0 });
}

/** Maps this user to 0 and the range behind it, as rootless containers do. */
async function mapIds(
  pid: number,
  { kind, range }: { kind: 'uid' | 'gid'; range: IdRange },
): Promise<Failure | undefined> {
  const tool = `new${kind}map`;
  const own = kind === 'uid' ? process.geteuid!() : process.getegid!();
  const maps = [0, own, 1, 1, range.first, range.count].map(String);
  const { execa } = await import('execa');
  const result = await execa(tool, [String(pid), ...maps], { reject: false });
  if (!result.failed) return undefined;
  const { code } = result as { code?: string };
  return { works: false, step: tool, errno: code ?? (result.stderr.trim().split('\n').at(-1) || 'failed') };
}
