import { expect, test } from 'vitest';
import { compileDeviceProgram } from '../../../../src/kernel/cgroups/device-program.ts';
import {
  DEFAULT_DEVICE_RULES,
  type DeviceRule,
  deviceSettings,
} from '../../../../src/kernel/cgroups/device-rule.ts';
import { runDeviceProgram } from '../../../fixtures/ebpf-interpreter.ts';

test('the rules for v1 refuse everything first', () => {
  expect(
    deviceSettings(DEFAULT_DEVICE_RULES)
      .map(({ file, value }) => `${file} ${value}`)
      .join('\n'),
  ).toMatchInlineSnapshot(`
    "devices.deny a
    devices.allow c 1:3 rwm
    devices.allow c 1:5 rwm
    devices.allow c 1:7 rwm
    devices.allow c 1:8 rwm
    devices.allow c 1:9 rwm
    devices.allow c 5:0 rwm
    devices.allow c 5:1 rwm
    devices.allow c 5:2 rwm
    devices.allow c 136:* rwm
    devices.allow c *:* m
    devices.allow b *:* m"
  `);
});

const decide = (
  rules: readonly DeviceRule[],
  type: 'block' | 'char',
  number: [number, number],
  access: string,
) => runDeviceProgram(compileDeviceProgram(rules), { type, major: number[0], minor: number[1], access });

test('the program for v2 decides as the rules say', () => {
  const rules: DeviceRule[] = [
    { type: 'char', major: 10, minor: 229, access: 'r' },
    { type: 'block', major: 8, access: 'rw' },
    { type: 'char', access: 'm' },
  ];
  expect(decide(rules, 'char', [10, 229], 'r')).toBe(1);
  expect(decide(rules, 'char', [10, 229], 'rw')).toBe(0);
  expect(decide(rules, 'block', [10, 229], 'r')).toBe(0);
  expect(decide(rules, 'char', [10, 228], 'r')).toBe(0);
  expect(decide(rules, 'block', [8, 77], 'rw')).toBe(1);
  expect(decide(rules, 'block', [8, 77], 'm')).toBe(0);
  expect(decide(rules, 'block', [9, 77], 'w')).toBe(0);
  expect(decide(rules, 'char', [200, 1], 'm')).toBe(1);
  expect(decide([], 'char', [1, 3], 'r')).toBe(0);
});

test('by default the usual devices can be used, and of the others nodes can be made only', () => {
  const usual: [number, number][] = [
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 1],
    [5, 2],
    [136, 40],
  ];
  expect(usual.map((number) => decide(DEFAULT_DEVICE_RULES, 'char', number, 'rwm'))).toEqual(
    usual.map(() => 1),
  );
  // /dev/mem, /dev/kmsg, /dev/fuse, /dev/net/tun; a disk with the numbers of /dev/null
  const others: [number, number][] = [
    [1, 1],
    [1, 11],
    [10, 229],
    [10, 200],
  ];
  expect(others.map((number) => decide(DEFAULT_DEVICE_RULES, 'char', number, 'r'))).toEqual([0, 0, 0, 0]);
  expect(others.map((number) => decide(DEFAULT_DEVICE_RULES, 'char', number, 'm'))).toEqual([1, 1, 1, 1]);
  expect(decide(DEFAULT_DEVICE_RULES, 'block', [1, 3], 'r')).toBe(0);
  expect(decide(DEFAULT_DEVICE_RULES, 'block', [8, 0], 'rm')).toBe(0);
});
