import { describe, expect, test } from 'vitest';
import { readProcessStatus } from '../../../../src/kernel/probe/process-status.ts';
import { subordinateIds } from '../../../../src/kernel/probe/subordinate-ids.ts';

describe('subordinate ids', () => {
  const text = 'ada:100000:65536\nbob:165536:1000\n1000:300000:10\n';

  test('belong to a name or a number', () => {
    expect(subordinateIds('subuid', { name: 'ada', uid: 1000 }, text)).toEqual([
      { first: 100_000, count: 65_536 },
      { first: 300_000, count: 10 },
    ]);
    expect(subordinateIds('subuid', { name: 'eve', uid: 1002 }, text)).toEqual([]);
  });
});

describe('the status of a process', () => {
  const text = 'CapEff:\t000001fffeffffff\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n';

  test('names its capabilities', () => {
    const { capabilities } = readProcessStatus(text);
    expect(capabilities.has('CAP_SYS_ADMIN')).toBe(true);
    expect(capabilities.has('CAP_SYS_RESOURCE')).toBe(false);
    expect(capabilities.size).toBe(40);
  });

  test('tells of filters and of privileges that cannot be gained', () => {
    expect(readProcessStatus(text)).toMatchObject({ noNewPrivileges: true, seccompFilter: true });
    expect(readProcessStatus('CapEff:\t0\nNoNewPrivs:\t0\nSeccomp:\t0\n')).toMatchObject({
      noNewPrivileges: false,
      seccompFilter: false,
    });
  });
});
