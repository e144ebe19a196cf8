import { existsSync, readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { reap } from '../../../../src/kernel/ffi/libc.ts';
import { spawnProcess } from '../../../../src/kernel/processes/spawn.ts';

const spawn = (...argv: string[]) => spawnProcess({ program: `/bin/${argv[0]}`, argv, fds: new Map() });

test('a child that has ended is reaped at once', async () => {
  const pid = spawn('true');
  await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/stat`, 'latin1')).toContain(') Z '));
  const reaped = reap(pid);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
  await reaped;
});

test('a child that goes on is reaped when it ends', async () => {
  const pid = spawn('sleep', '60');
  const reaped = reap(pid);
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  process.kill(pid, 'SIGKILL');
  await reaped;
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});

test('what is no child of ours is not waited for', async () => {
  await reap(1);
});
