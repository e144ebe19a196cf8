import { constants } from 'node:os';
import { type Abi, type Architecture, syscallNumber, syscallTable } from '../syscalls/numbers.ts';
import { and, assemble, branch, type Code, give, load } from './bpf.ts';
import type { Condition, Profile, Rule } from './profile.ts';

// <linux/seccomp.h> and <linux/audit.h>
const ALLOW = 0x7fff_0000;
const FAIL = 0x0005_0000;
const OFFSET = { nr: 0, arch: 4, args: 16 } as const;
const AUDIT: Readonly<Record<Abi, number>> = { x64: 0xc000_003e, ia32: 0x4000_0003, arm64: 0xc000_00b7 };
/** Numbers of the x32 ABI carry this bit (asm/unistd.h); no image needs it, so it is as if the kernel lacked it. */
const X32_BIT = 0x4000_0000;
const ABIS: Readonly<Record<Architecture, readonly Abi[]>> = { x64: ['x64', 'ia32'], arm64: ['arm64'] };

const notPermitted = give(FAIL | constants.errno.EPERM);
const notImplemented = give(FAIL | constants.errno.ENOSYS);
const allow = give(ALLOW);

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
  return assemble([...load(OFFSET.arch), ...code]);
}

function filterAbi(profile: Profile, abi: Abi): Code {
  const newest = Math.max(...Object.values(syscallTable(abi)));
  const verdicts = verdictsByNumber(profile, abi);
  const runs: Run[] = [];
  for (let number = 0; number <= newest; number += 1) {
    const code = verdicts.get(number) ?? notPermitted;
    if (runs.at(-1)?.code !== code) runs.push({ first: number, code });
  }
  runs.push({ first: newest + 1, code: notImplemented });
  const search = searchRuns(runs);
  const guarded =
    abi === 'x64' ? branch('greater-equal', X32_BIT, { yes: notImplemented, no: search }) : search;
  return [...load(OFFSET.nr), ...guarded];
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
function verdictsByNumber(profile: Profile, abi: Abi): Map<number, Code> {
  const rules = new Map<number, Rule[]>();
  for (const rule of profile) {
    for (const name of rule.names) {
      const number = syscallNumber(abi, name);
      if (number !== undefined) rules.set(number, [...(rules.get(number) ?? []), rule]);
    }
  }
  const errors = new Map<number, Code>();
  const verdict = ({ errno }: Rule): Code => {
    if (errno === undefined) return allow;
    if (!errors.has(errno)) errors.set(errno, give(FAIL | errno));
    return errors.get(errno)!;
  };
  return new Map([...rules].map(([number, list]) => [number, decide(list, verdict)]));
}

/** The first rule that applies decides; one without conditions always does. */
function decide(rules: readonly Rule[], verdict: (rule: Rule) => Code): Code {
  const always = rules.find((rule) => rule.when === undefined);
  if (always !== undefined) return verdict(always);
  return rules.reduceRight<Code>((no, rule) => when(rule.when!, { yes: verdict(rule), no }), notPermitted);
}

function when(conditions: readonly Condition[], paths: { yes: Code; no: Code }): Code {
  return conditions.reduceRight<Code>((yes, condition) => check(condition, { yes, no: paths.no }), paths.yes);
}

/** Compares a 64-bit argument in two halves; every value of a profile fits 32 bits, so the upper half is 0. */
function check({ index, op, value, mask = 0 }: Condition, { yes, no }: { yes: Code; no: Code }): Code {
  const low = load(OFFSET.args + 8 * index);
  const high = load(OFFSET.args + 8 * index + 4);
  if (op === 'masked-equal') return [...low, ...and(mask), ...branch('equal', value, { yes, no })];
  const lower = [...low, ...compareLow(op, value, { yes, no })];
  const beyond = op === 'greater' ? yes : no;
  return [...high, ...branch('equal', 0, { yes: lower, no: beyond })];
}

function compareLow(op: 'equal' | 'less' | 'greater', value: number, paths: { yes: Code; no: Code }): Code {
  if (op === 'less') return branch('greater-equal', value, { yes: paths.no, no: paths.yes });
  return branch(op, value, paths);
}
