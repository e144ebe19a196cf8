import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { syscallNumber } from '../../../../src/kernel/syscalls/numbers.ts';
import { parseDockerProfile } from '../../../../src/runtime/compile/docker-profile.ts';
import { SeccompFilters } from '../../../../src/runtime/compile/seccomp-filters.ts';
import { runFilter } from '../../../fixtures/bpf-interpreter.ts';

const ARCH = 0xc000003e;
const ALLOW = 0x7fff0000;
const fail = (errno: number) => 0x00050000 | errno;

function verdicts(profile: object, capabilities: readonly ('CAP_SYS_ADMIN' | 'CAP_CHOWN')[] = []) {
  const parsed = parseDockerProfile(JSON.stringify(profile), 'p.json');
  const filter = Buffer.from(new SeccompFilters('x64').filter(parsed, capabilities)!);
  return (name: string, ...args: bigint[]) =>
    runFilter(filter, { number: syscallNumber('x64', name)!, arch: ARCH, args });
}

test('names, actions and the error of each', () => {
  const verdict = verdicts({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    syscalls: [
      { names: ['read', 'write', 'no_such_call'], action: 'SCMP_ACT_ALLOW' },
      { name: 'chmod', action: 'SCMP_ACT_ERRNO', errnoRet: 13, args: null },
      { names: ['fchmod'], action: 'SCMP_ACT_ERRNO' },
      { names: ['ptrace'], action: 'SCMP_ACT_KILL_PROCESS' },
      { names: ['reboot'], action: 'SCMP_ACT_LOG' },
    ],
  });
  expect(
    ['read', 'write', 'chmod', 'fchmod', 'ptrace', 'reboot', 'openat'].map((name) => verdict(name)),
  ).toEqual([ALLOW, ALLOW, fail(13), fail(constants.errno.EPERM), 0x80000000, 0x7ffc0000, fail(38)]);
});

test('comparisons take all 64 bits of an argument', () => {
  const big = 2 ** 40 + 5;
  const compare = (op: string, value: number, valueTwo = 0) =>
    verdicts({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        { names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value, valueTwo, op }] },
      ],
    });
  const allowed = (op: string, value: number, arg: number, valueTwo?: number) =>
    compare(op, value, valueTwo)('personality', BigInt(arg)) === ALLOW;
  for (const [op, below, same, above] of [
    ['SCMP_CMP_EQ', false, true, false],
    ['SCMP_CMP_NE', true, false, true],
    ['SCMP_CMP_LT', true, false, false],
    ['SCMP_CMP_LE', true, true, false],
    ['SCMP_CMP_GT', false, false, true],
    ['SCMP_CMP_GE', false, true, true],
  ] as const) {
    const seen = [5, big - 1, big, big + 1, big + 2 ** 41].map((arg) => allowed(op, big, arg));
    expect([op, ...seen]).toEqual([op, below, below, same, above, above]);
  }
  expect(allowed('SCMP_CMP_MASKED_EQ', 0xf0, 0x1f5, 0xf0)).toBe(true);
  expect(allowed('SCMP_CMP_MASKED_EQ', 0xf0, 0x1e5, 0xf0)).toBe(false);
  expect(allowed('SCMP_CMP_MASKED_EQ', 2 ** 40, big, 2 ** 40)).toBe(true);
  expect(allowed('SCMP_CMP_MASKED_EQ', 2 ** 40, 5, 2 ** 40)).toBe(false);
});

test('rules come and go with capabilities, architectures and kernels', () => {
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [
      { names: ['mount'], action: 'SCMP_ACT_ALLOW', includes: { caps: ['CAP_SYS_ADMIN'] } },
      { names: ['umount2'], action: 'SCMP_ACT_ALLOW', excludes: { caps: ['CAP_SYS_ADMIN'] } },
      { names: ['arch_prctl'], action: 'SCMP_ACT_ALLOW', includes: { arches: ['amd64'] } },
      { names: ['modify_ldt'], action: 'SCMP_ACT_ALLOW', excludes: { arches: ['amd64'] } },
      { names: ['ptrace'], action: 'SCMP_ACT_ALLOW', includes: { minKernel: '4.8' } },
      { names: ['bpf'], action: 'SCMP_ACT_ALLOW', includes: { minKernel: '99.0' } },
    ],
  };
  const names = ['mount', 'umount2', 'arch_prctl', 'modify_ldt', 'ptrace', 'bpf'];
  const allowed = (capabilities: readonly 'CAP_SYS_ADMIN'[]) =>
    names.filter((name) => verdicts(profile, capabilities)(name) === ALLOW);
  expect(allowed([])).toEqual(['umount2', 'arch_prctl', 'ptrace']);
  expect(allowed(['CAP_SYS_ADMIN'])).toEqual(['mount', 'arch_prctl', 'ptrace']);
});

test('a default that allows lets calls through that nobody knows yet', () => {
  const parsed = parseDockerProfile('{"defaultAction":"SCMP_ACT_ALLOW"}', 'p.json');
  const filter = Buffer.from(new SeccompFilters('x64').filter(parsed, [])!);
  expect(runFilter(filter, { number: 600, arch: ARCH })).toBe(ALLOW);
});

test.for([
  ['not json', /p\.json is no seccomp profile: it is no JSON/],
  ['{}', /defaultAction/],
  ['{"defaultAction":"SCMP_ACT_NOTIFY"}', /defaultAction/],
  [
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":9999}]}',
    /errnoRet/,
  ],
  [
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":6,"value":0,"op":"SCMP_CMP_EQ"}]}]}',
    /index/,
  ],
] as const)('%s is refused', ([text, message]) => {
  expect(() => parseDockerProfile(text, 'p.json')).toThrow(message);
});
