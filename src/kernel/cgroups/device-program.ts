import {
  and,
  assemble,
  type BpfInstruction,
  copy,
  exit,
  loadWord,
  set,
  shiftRight,
  unless,
  unlessSame,
} from '../bpf/instruction.ts';
import type { DeviceRule } from './device-rule.ts';

/** <linux/bpf.h>, BPF_DEVCG_DEV_* and BPF_DEVCG_ACC_*. */
const TYPES = { block: 1, char: 2 } as const;
const ACCESS: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
const EVERY_ACCESS = 7;

/** struct bpf_cgroup_dev_ctx: type and access in one word, major, minor. */
const CONTEXT = { access: 0, major: 4, minor: 8 } as const;
const [SCRATCH, TYPE, WANTED, MAJOR, MINOR] = [1, 2, 3, 4, 5] as const;

const allow = [set(0, 1), exit];
const deny = [set(0, 0), exit];

/**
 * A program of type BPF_PROG_TYPE_CGROUP_DEVICE that allows what the rules name and refuses the rest: the v2 way of
 * device access (cgroup-v2.rst, "Device controller").
 */
export function compileDeviceProgram(rules: readonly DeviceRule[]): Buffer {
  return assemble([
    loadWord(TYPE, 1, CONTEXT.access),
    copy(WANTED, TYPE),
    and(TYPE, 0xffff),
    shiftRight(WANTED, 16),
    loadWord(MAJOR, 1, CONTEXT.major),
    loadWord(MINOR, 1, CONTEXT.minor),
    ...rules.flatMap(compileRule),
    ...deny,
  ]);
}

/** Tests that each jump to the next rule when they fail. */
function compileRule({ type, major, minor, access }: DeviceRule): BpfInstruction[] {
  const mask = [...access].reduce((bits, letter) => bits | (ACCESS[letter] ?? 0), 0);
  const tests: ((offset: number) => BpfInstruction)[] = [(offset) => unless(TYPE, TYPES[type], offset)];
  if (mask !== EVERY_ACCESS) {
    // Everything that is wanted must be in the mask.
    tests.push(
      () => copy(SCRATCH, WANTED),
      () => and(SCRATCH, mask),
      (offset) => unlessSame(SCRATCH, WANTED, offset),
    );
  }
  if (major !== undefined) tests.push((offset) => unless(MAJOR, major, offset));
  if (minor !== undefined) tests.push((offset) => unless(MINOR, minor, offset));
  return [...tests.map((test, i) => test(tests.length - 1 - i + allow.length)), ...allow];
}
