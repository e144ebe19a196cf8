import { constants } from 'node:os';
import { type Abi, type Architecture, syscallNumber, syscallTable } from '../syscalls/numbers.ts';
import { and, assemble, branch, type Code, give, load } from './bpf.ts';
import type { Condition, Profile, Rule, SeccompAction } from './profile.ts';

// <linux/seccomp.h> and <linux/audit.h>
const VERDICTS = {
  'kill-process': 0x8000_0000,
  'kill-thread': 0x0000_0000,
  trap: 0x0003_0000,
  log: 0x7ffc_0000,
  allow: 0x7fff_0000,
} as const;
const FAIL = 0x0005_0000;
const OFFSET = { nr: 0, arch: 4, args: 16 } as const;
const AUDIT: Readonly<Record<Abi, number>> = { x64: 0xc000_003e, ia32: 0x4000_0003, arm64: 0xc000_00b7 };
/** Numbers of the x32 ABI carry this bit (asm/unistd.h); no image needs it, so it is as if the kernel lacked it. */
const X32_BIT = 0x4000_0000;
const ABIS: Readonly<Record<Architecture, readonly Abi[]>> = { x64: ['x64', 'ia32'], arm64: ['arm64'] };

const notImplemented = give(FAIL | constants.errno.ENOSYS);

/** One piece of code for each action, so that neighbours with the same verdict can be told by identity. */
class Verdicts {
  readonly #known = new Map<SeccompAction, Code>();

  of(action: SeccompAction): Code {
    const known = this.#known.get(action);
    if (known !== undefined) return known;
    const code = give(typeof action === 'number' ? FAIL | action : VERDICTS[action]);
    this.#known.set(action, code);
    return code;
  }
}

/**
 * A profile as a filter for seccomp(2): an encoded array of struct sock_filter.
 *
 * On x64 the 32-bit ABI is filtered by its own numbers. Other ABIs (x32, 32-bit Arm) get ENOSYS.
 */
export function compileSeccomp(profile: Profile, architecture: Architecture): Buffer {
  const abis = ABIS[architecture].toReversed();
  const code = abis.reduce<Code>(
    (no, abi) => branch('equal', AUDIT[abi], { yes: filterAbi(profile, abi), no }),
    notImplemented,
  );
  return assemble(load(OFFSET.arch).concat(code));
}

function filterAbi(profile: Profile, abi: Abi): Code {
  const newest = Math.max(...Object.values(syscallTable(abi)));
  const verdicts = new Verdicts();
  const otherwise = verdicts.of(profile.otherwise);
  const decided = decideByNumber(profile, { abi, verdicts });
  const runs: Run[] = [];
  for (let number = 0; number <= newest; number += 1) {
    const code = decided.get(number) ?? otherwise;
    if (runs.at(-1)?.code !== code) runs.push({ first: number, code });
  }
  runs.push({ first: newest + 1, code: profile.otherwise === 'allow' ? otherwise : notImplemented });
  const search = searchRuns(runs);
  const guarded =
    abi === 'x64' ? branch('greater-equal', X32_BIT, { yes: notImplemented, no: search }) : search;
  return load(OFFSET.nr).concat(guarded);
}

/** System calls from `first` up to the next run, all with the same verdict. */
interface Run {
  readonly first: number;
  readonly code: Code;
}

function searchRuns(runs: readonly Run[]): Code {
  if (runs.length === 1) return runs[0]!.code;
  const middle = runs.length >> 1;
  return branch('greater-equal', runs[middle]!.first, {
    yes: searchRuns(runs.slice(middle)),
    no: searchRuns(runs.slice(0, middle)),
  });
}

/** Names that an ABI lacks are passed over: a profile is written for all of them. */
function decideByNumber(
  { rules: all, otherwise }: Profile,
  { abi, verdicts }: { abi: Abi; verdicts: Verdicts },
): Map<number, Code> {
  const rules = new Map<number, Rule[]>();
  for (const rule of all) {
    for (const name of rule.names) {
      const number = syscallNumber(abi, name);
      if (number !== undefined) rules.set(number, [...(rules.get(number) ?? []), rule]);
    }
  }
  const verdict = ({ action = 'allow' }: Rule) => verdicts.of(action);
  const fallback = verdicts.of(otherwise);
  return new Map([...rules].map(([number, list]) => [number, decide(list, { verdict, fallback })]));
}

/** The first rule that applies decides; one without conditions always does. */
function decide(
  rules: readonly Rule[],
  { verdict, fallback }: { verdict: (rule: Rule) => Code; fallback: Code },
): Code {
  const always = rules.find((rule) => rule.when === undefined);
  if (always !== undefined) return verdict(always);
  return rules.reduceRight<Code>((no, rule) => when(rule.when!, { yes: verdict(rule), no }), fallback);
}

function when(conditions: readonly Condition[], paths: { yes: Code; no: Code }): Code {
  return conditions.reduceRight<Code>((yes, condition) => check(condition, { yes, no: paths.no }), paths.yes);
}

/** Every comparison is one of four, with its outcomes exchanged if need be. */
function check(condition: Condition, { yes, no }: { yes: Code; no: Code }): Code {
  const { op } = condition;
  if (op === 'not-equal') return compare({ ...condition, op: 'equal' }, { yes: no, no: yes });
  if (op === 'less') return compare({ ...condition, op: 'greater-equal' }, { yes: no, no: yes });
  if (op === 'less-equal') return compare({ ...condition, op: 'greater' }, { yes: no, no: yes });
  return compare({ ...condition, op }, { yes, no });
}

type Comparison = Omit<Condition, 'op'> & {
  readonly op: 'equal' | 'greater' | 'greater-equal' | 'masked-equal';
};

/** A 64-bit argument is compared in two halves: a filter's words have 32 bits. */
function compare({ index, op, value, mask = 0 }: Comparison, { yes, no }: { yes: Code; no: Code }): Code {
  const low = load(OFFSET.args + 8 * index);
  const high = load(OFFSET.args + 8 * index + 4);
  const [lowValue, highValue] = halves(value);
  if (op === 'masked-equal') {
    const [lowMask, highMask] = halves(mask);
    const lower = [...low, ...and(lowMask), ...branch('equal', lowValue, { yes, no })];
    if (highMask === 0) return highValue === 0 ? lower : no;
    return [...high, ...and(highMask), ...branch('equal', highValue, { yes: lower, no })];
  }
  const lower = [...low, ...branch(op, lowValue, { yes, no })];
  const same = branch('equal', highValue, { yes: lower, no });
  return [...high, ...(op === 'equal' ? same : branch('greater', highValue, { yes, no: same }))];
}

const halves = (value: number): [low: number, high: number] => [value % 2 ** 32, Math.floor(value / 2 ** 32)];
