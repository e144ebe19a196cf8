import { describe, expect, test } from 'vitest';
import { readDeviceNode } from '../../../../src/kernel/devices/device-node.ts';
import { packDevice, unpackDevice } from '../../../../src/kernel/devices/device-number.ts';
import { findDisk } from '../../../../src/kernel/devices/disk.ts';

describe('device numbers', () => {
  test.each([
    [{ major: 1, minor: 3 }, 0x103],
    [{ major: 136, minor: 40 }, 0x8828],
    [{ major: 259, minor: 1_048_575 }, 0xfff1_03ff],
  ])('%j is packed as the kernel does', (number, packed) => {
    expect(packDevice(number)).toBe(packed);
    expect(unpackDevice(BigInt(packed))).toEqual(number);
  });
});

test('a device node is told by type, numbers, mode and owner', () => {
  expect(readDeviceNode('/dev/null')).toEqual({
    type: 'char',
    major: 1,
    minor: 3,
    mode: 0o666,
    uid: 0,
    gid: 0,
  });
});

test.each(['/no/such/device', '/', '/etc/passwd'])('%s is no device', (path) => {
  expect(() => readDeviceNode(path)).toThrow(expect.objectContaining({ code: 'container.not-a-device' }));
});

test.each(['/proc', '/dev/null', '/no/such/file'])('%s is on no disk', (path) => {
  expect(() => findDisk(path)).toThrow(expect.objectContaining({ code: 'cgroup.no-such-disk' }));
});
