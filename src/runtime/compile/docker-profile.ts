import { constants, release } from 'node:os';
import type { CapabilityName } from '../../kernel/capabilities.ts';
import type { Condition, Profile, SeccompAction } from '../../kernel/seccomp/profile.ts';
import type { Architecture } from '../../kernel/syscalls/numbers.ts';
import { MayflyError } from '../../support/error.ts';
import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';

const OPERATORS = {
  SCMP_CMP_NE: 'not-equal',
  SCMP_CMP_LT: 'less',
  SCMP_CMP_LE: 'less-equal',
  SCMP_CMP_EQ: 'equal',
  SCMP_CMP_GE: 'greater-equal',
  SCMP_CMP_GT: 'greater',
  SCMP_CMP_MASKED_EQ: 'masked-equal',
} as const satisfies Record<string, Condition['op']>;

/** Those that need nobody to listen: SCMP_ACT_TRACE and SCMP_ACT_NOTIFY do. */
const ACTIONS = {
  SCMP_ACT_ALLOW: 'allow',
  SCMP_ACT_LOG: 'log',
  SCMP_ACT_TRAP: 'trap',
  SCMP_ACT_KILL: 'kill-thread',
  SCMP_ACT_KILL_THREAD: 'kill-thread',
  SCMP_ACT_KILL_PROCESS: 'kill-process',
  SCMP_ACT_ERRNO: 'errno',
} as const;

const GO_ARCHITECTURES: Readonly<Record<Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

const schema = lazy(() => {
  const number = z.int().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER));
  const errno = z.int().check(z.gte(0), z.lte(4095));
  const strings = z.array(z.string());
  const filter = z.looseObject({
    caps: z.optional(strings),
    arches: z.optional(strings),
    minKernel: z.optional(z.string()),
  });
  const action = z.enum(Object.keys(ACTIONS) as [keyof typeof ACTIONS, ...(keyof typeof ACTIONS)[]]);
  /** Go writes null for a list that is empty. */
  const orNull = <T extends z.ZodMiniType>(type: T) => z.nullish(type);
  const rule = z.looseObject({
    name: z.optional(z.string()),
    names: orNull(strings),
    action,
    errnoRet: orNull(errno),
    args: orNull(
      z.array(
        z.looseObject({
          index: z.int().check(z.gte(0), z.lte(5)),
          value: number,
          valueTwo: z.optional(number),
          op: z.enum(Object.keys(OPERATORS) as [keyof typeof OPERATORS, ...(keyof typeof OPERATORS)[]]),
        }),
      ),
    ),
    includes: orNull(filter),
    excludes: orNull(filter),
  });
  return z.looseObject({
    defaultAction: action,
    defaultErrnoRet: orNull(errno),
    syscalls: orNull(z.array(rule)),
  });
});

/** A seccomp profile as Docker reads it from a file (moby profiles/seccomp, docs.docker.com/engine/security/seccomp). */
export type DockerProfile = z.infer<ReturnType<typeof schema>>;

type DockerRule = NonNullable<DockerProfile['syscalls']>[number];

/** @throws MayflyError `option.bad-seccomp-profile` saying where it is wrong */
export function parseDockerProfile(text: string, path: string): DockerProfile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw bad(path, 'it is no JSON', cause);
  }
  const { data, error } = schema().safeParse(json);
  if (data !== undefined) return data;
  throw bad(path, z.prettifyError(error).slice(0, 1000), error);
}

/** The rules that apply to these capabilities, this architecture and this kernel. */
export function resolveDockerProfile(
  { defaultAction, defaultErrnoRet, syscalls }: DockerProfile,
  { capabilities, arch }: { capabilities: readonly CapabilityName[]; arch: Architecture },
): Profile {
  const has = (caps: readonly string[] | undefined) =>
    (caps ?? []).map((cap) => (capabilities as readonly string[]).includes(cap));
  const isThis = (arches: readonly string[] | undefined) => arches?.includes(GO_ARCHITECTURES[arch]);
  const applies = ({ includes, excludes }: DockerRule) =>
    has(includes?.caps).every(Boolean) &&
    (isThis(includes?.arches) ?? true) &&
    isAtLeast(includes?.minKernel) &&
    !has(excludes?.caps).some(Boolean) &&
    !(isThis(excludes?.arches) ?? false);
  const rules = (syscalls ?? []).filter(applies).map((each) => ({
    names: [...(each.names ?? []), ...(each.name === undefined ? [] : [each.name])],
    action: actionOf(each.action, each.errnoRet),
    ...(each.args?.length ? { when: each.args.map(conditionOf) } : {}),
  }));
  return { rules, otherwise: actionOf(defaultAction, defaultErrnoRet) };
}

function conditionOf({
  index,
  op,
  value,
  valueTwo = 0,
}: {
  index: number;
  op: keyof typeof OPERATORS;
  value: number;
  valueTwo?: number | undefined;
}): Condition {
  // libseccomp's order: the first datum of a masked comparison is the mask.
  if (op === 'SCMP_CMP_MASKED_EQ') return { index, op: OPERATORS[op], mask: value, value: valueTwo };
  return { index, op: OPERATORS[op], value };
}

function actionOf(name: keyof typeof ACTIONS, errnoRet: number | null | undefined): SeccompAction {
  const kind = ACTIONS[name];
  return kind === 'errno' ? (errnoRet ?? constants.errno.EPERM) : kind;
}

function isAtLeast(version: string | undefined): boolean {
  if (version === undefined) return true;
  const parts = (text: string) => text.split(/[.-]/).slice(0, 2).map(Number);
  const [[major = 0, minor = 0], [wantedMajor = 0, wantedMinor = 0]] = [parts(release()), parts(version)];
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function bad(path: string, why: string, cause: unknown): MayflyError {
  return new MayflyError('option.bad-seccomp-profile', `${path} is no seccomp profile: ${why}`, {
    cause,
    hint: 'it has to be JSON as Docker takes it, with defaultAction and syscalls',
  });
}
