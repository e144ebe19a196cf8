import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { type ContainerOptions, type Image, startContainer } from '../../../src/index.ts';
import { call, reap } from '../../../src/kernel/ffi/libc.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

/** <linux/prctl.h> */
const PR_SET_CHILD_SUBREAPER = 36;

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('namespaces shared between containers', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  const start = (options: Partial<ContainerOptions> = {}) =>
    startContainer({ image, stopTimeout: 0, ...options });

  test('ipc: message queues and /dev/shm are the same, and only there', async () => {
    await using one = await start();
    await using two = await start({ ipc: { container: one.id } });
    await using three = await start();
    await one.exec(['sh', '-c', 'echo shared > /dev/shm/x']);
    expect((await two.exec(['cat', '/dev/shm/x'])).stdout).toBe('shared\n');
    expect((await three.exec(['cat', '/dev/shm/x'])).exitCode).not.toBe(0);
    const ipc = async (box: typeof one) => (await box.exec(['readlink', '/proc/self/ns/ipc'])).stdout;
    expect(await ipc(two)).toBe(await ipc(one));
    expect(await ipc(three)).not.toBe(await ipc(one));
    expect((await two.inspect()).HostConfig.IpcMode).toBe(`container:${one.id}`);
  });

  test('pid: the two see each other, each dies without the other one’s harm', async () => {
    await using one = await start({ command: ['sleep', '7777'] });
    const two = await start({
      pid: { container: one.name },
      command: ['sh', '-c', 'sleep 8888 & sleep 9999 & wait'],
    });
    const seen = async () => (await two.exec(['sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "'])).stdout;
    await expect.poll(seen).toMatch(/9999/);
    expect(await seen()).toContain('7777');
    expect((await one.exec(['sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "'])).stdout).toContain(
      '8888',
    );
    // What was left without a parent is the container's to the end.
    await two.exec(['sh', '-c', 'setsid sleep 6666 > /dev/null 2>&1 &']);
    await two.stop();
    const left = async () => (await one.exec(['sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "'])).stdout;
    await expect.poll(left).not.toMatch(/6666|8888|9999/);
    expect(await left()).toContain('7777');
  });

  test('pid: who shares the processes of a container ends with it', async () => {
    const one = await start();
    const two = await start({ pid: { container: one.id }, command: ['sleep', '1000'] });
    const { Pid } = (await two.inspect()).State;
    await one.stop();
    await expect.poll(() => existsSync(`/proc/${Pid}`), { timeout: 5000 }).toBe(false);
    await two.stop();
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test.each([['shim'], ['init'], ['shim', 'init']])(
    'pid: nothing of it is left when %s is killed, and the other one goes on',
    async (...victims) => {
      await using one = await start({ command: ['sleep', '7777'] });
      const two = await start({ pid: { container: one.id }, command: ['sleep', '8888'] });
      // Neither a child of the container's process nor bound to it.
      await two.exec(['sh', '-c', 'setsid sleep 6666 > /dev/null 2>&1 &']);
      const seen = async () =>
        (await one.exec(['sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "'])).stdout;
      expect(await seen()).toContain('6666');
      const pids = { shim: two.parts.record.shimPid, init: two.parts.run.pid };
      // A namespace ends when all in it have been reaped, which is for whom orphans go to; PID 1 of a test run may be anything.
      call('prctl', [PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0], 'adopt orphans');
      for (const victim of victims) process.kill(pids[victim as 'shim' | 'init'], 'SIGKILL');
      // As often as it takes: init becomes ours to reap a moment after the shim's death.
      const gone = async () => {
        await reap(pids.init);
        return !existsSync(`/proc/${pids.init}`);
      };
      await expect.poll(gone).toBe(true);
      await expect.poll(seen).not.toMatch(/6666|8888/);
      expect(await seen()).toContain('7777');
      await two.stop();
      call('prctl', [PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0], 'adopt no more');
    },
  );

  test('a container that has ended shares nothing', async () => {
    await using one = await start({ detached: false });
    await one.kill();
    await expect.poll(async () => (await one.inspect()).State.Running).toBe(false);
    await expect(start({ ipc: { container: one.id } })).rejects.toMatchObject({
      code: expect.stringMatching(/^container\.(exited|not-found)$/),
    });
  });

  test('clocks run ahead by what was asked for, in an exec as well', async () => {
    const uptime = (text: string) => Number(text.split(' ')[0]);
    await using box = await start({ clockOffsets: { boottime: '24h', monotonic: '1h' } });
    const inside = uptime((await box.exec(['cat', '/proc/uptime'])).stdout);
    const outside = uptime(readFileSync('/proc/uptime', 'latin1'));
    expect(Math.round((inside - outside) / 10)).toBe(8640);
    expect((await box.exec(['cat', '/proc/1/timens_offsets'])).stdout.split(/\s+/)).toEqual(
      expect.arrayContaining(['3600', '86400']),
    );
  });
});
