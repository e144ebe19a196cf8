import { arch, release } from 'node:os';
import { openShimBinary } from '../../kernel/program/shim-binary.ts';
import { locateHome } from '../../support/home.ts';
import { examineCgroups } from './cgroup-checks.ts';
import type { Check, Examination, Examine, Rung } from './check.ts';
import { readDistribution } from './distribution.ts';
import { openLaboratory } from './laboratory.ts';
import { examineNetwork } from './network-checks.ts';
import { examinePrivileges } from './privilege-checks.ts';
import { examineStorage } from './storage-checks.ts';
import { examineSystem } from './system-checks.ts';
import { examineTools } from './tool-checks.ts';
import { examineUserNamespaces } from './user-namespace-checks.ts';

/** What a machine allows. */
export interface Diagnosis {
  /** By what rights containers start here; `none` when they do not. */
  readonly rung: Rung | 'none';
  readonly distribution: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly node: string;
  readonly checks: readonly Check[];
}

const TOPICS: readonly Examine[] = [
  examineSystem,
  examinePrivileges,
  examineUserNamespaces,
  examineCgroups,
  examineStorage,
  examineNetwork,
  examineTools,
];

/**
 * Says what this machine allows, and how to mend what it does not. It tries things for real, in namespaces of its own, and leaves
 * nothing behind; good to have in a bug report.
 *
 * @throws nothing that has to do with what the machine lacks: that is in the result
 */
export async function doctor(env: NodeJS.ProcessEnv = process.env): Promise<Diagnosis> {
  const rung = process.geteuid?.() === 0 ? 'root' : 'rootless';
  const distribution = readDistribution();
  const checks = await examine(rung, env);
  return {
    rung: checks.some(({ status }) => status === 'missing') ? 'none' : rung,
    distribution: distribution.name,
    kernel: release(),
    architecture: arch(),
    node: process.versions.node,
    checks,
  };
}

async function examine(rung: Rung, env: NodeJS.ProcessEnv): Promise<Check[]> {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) return [unsupported()];
  const examination: Examination = {
    rung,
    user: { uid: process.geteuid!(), gid: process.getegid!(), apart: rung === 'rootless' },
    env,
    distribution: readDistribution(),
    laboratory: openLaboratory(openShimBinary(env.MAYFLY_SHIM)),
    home: locateHome(env),
    asRoot: (command) => (rung === 'root' ? command : `sudo ${command}`),
  };
  const checks: Check[] = [];
  // One after the other: some count what there is, and all are done in a tenth of a second.
  for (const topic of TOPICS) checks.push(...(await topic(examination)));
  return checks;
}

function unsupported(): Check {
  return {
    id: 'platform',
    group: 'system',
    status: 'missing',
    found: `${process.platform} on ${process.arch}`,
    effect: 'no container starts',
    fix: 'run on Linux on x64 or arm64, in a virtual machine for example',
  };
}
