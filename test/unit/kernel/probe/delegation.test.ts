import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findDelegation } from '../../../../src/kernel/probe/delegation.ts';

let mount: string;
beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), 'mayfly-delegation-'));
});
afterEach(() => rmSync(mount, { recursive: true }));

function cgroup(path: string, controllers: string): void {
  mkdirSync(join(mount, path), { recursive: true });
  writeFileSync(join(mount, path, 'cgroup.procs'), '');
  writeFileSync(join(mount, path, 'cgroup.controllers'), `${controllers}\n`);
}
const find = (ownCgroup: string) => findDelegation(mount, { uid: 1000, ownCgroup });

test('the own cgroup comes first, where it may be written to', () => {
  cgroup('/own', 'memory pids');
  cgroup('/user.slice/user-1000.slice/user@1000.service', 'cpu');
  expect(find('4:memory:/v1\n0::/own\n')).toEqual({ path: '/own', controllers: ['memory', 'pids'] });
  expect(find('0::/elsewhere\n')).toMatchObject({ controllers: ['cpu'] });
});

test('nothing is delegated where there is no such cgroup, or no file to move a process by', () => {
  expect(find('0::/own\n')).toBeUndefined();
  mkdirSync(join(mount, 'own'));
  expect(find('0::/own\n')).toBeUndefined();
});

test('controllers may be none', () => {
  cgroup('/own', '');
  expect(find('0::/own\n')).toEqual({ path: '/own', controllers: [] });
});
