import { describe, expect, test } from 'vitest';
import { parseNumberList } from '../../../../src/kernel/cgroups/number-list.ts';

describe('a list of CPUs or nodes', () => {
  test.each<[string, number[]]>([
    ['0', [0]],
    ['0-3', [0, 1, 2, 3]],
    ['0-1,4', [0, 1, 4]],
    ['1,1-2\n', [1, 2]],
    ['8191', [8191]],
  ])('%j', (list, numbers) => {
    expect([...parseNumberList(list)]).toEqual(numbers);
  });

  // CVE-2018-20699: a range is expanded only when it fits a machine.
  test.each([
    '',
    ',',
    '0-1,',
    ',0',
    '1-0',
    '-1',
    '0-',
    'a',
    '0x1',
    '1 2',
    '8192',
    '0-8192',
    '4294967296',
    '0-9223372036854775807',
    '00000000000000000001',
    '0-1:1/2',
  ])('%j is refused', (list) => {
    expect(() => parseNumberList(list)).toThrow(expect.objectContaining({ code: 'cgroup.cpuset-invalid' }));
  });

  test('what is shown of a long list is short', () => {
    expect(() => parseNumberList('9'.repeat(100_000))).toThrow(/^not a list of numbers: "9{40}…"\n/);
  });
});
