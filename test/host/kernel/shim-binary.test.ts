import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openShimBinary } from '../../../src/kernel/program/shim-binary.ts';

/** As whoever gets hold of /proc/1/exe in a container could try (CVE-2019-5736). */
test('nobody can change the shim that containers are started with', () => {
  const path = `/proc/self/fd/${openShimBinary().fd}`;
  const before = readFileSync(path);
  const { size } = statSync(path);
  expect(before.subarray(0, 4).toString('latin1')).toBe('\x7fELF');
  const fd = openSync(path, 'r+');
  try {
    expect(() => writeSync(fd, 'changed', 0)).toThrow('EPERM');
    expect(() => writeSync(fd, 'more', size)).toThrow('EPERM');
    expect(() => ftruncateSync(fd, 0)).toThrow('EPERM');
    expect(() => ftruncateSync(fd, size + 1)).toThrow('EPERM');
  } finally {
    closeSync(fd);
  }
  expect(readFileSync(path)).toEqual(before);
});
