import { beforeAll, expect, test } from 'vitest';
import { onOomKill } from '../../../src/containers/oom-kills.ts';
import { type Container, type Image, startContainer, Wait } from '../../../src/index.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { countersOf, cpuTime } from '../../fixtures/counters.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

const HOG = ['sh', '-c', 'while :; do :; done'];

const until = (condition: () => boolean, what: string) =>
  poll(() => condition() || undefined, { deadline: deadlineIn(30_000), what });

requires(
  'root',
  'mmdebstrap',
  'memory-controller',
  'cpu-controller',
  'pids-controller',
  'cpuset-controller',
)('limits', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  test('a memory hog is killed, and the error says so', async () => {
    const hog = startContainer({
      image,
      memory: '32m',
      // tail keeps the last line, and there is only one.
      command: ['sh', '-c', 'echo starting; exec tail /dev/zero'],
      waitFor: Wait.forLogMessage('never'),
    });
    await expect(hog).rejects.toMatchObject({
      code: 'container.out-of-memory',
      oomKilled: true,
      exitCode: 137,
      lastLines: [expect.objectContaining({ text: 'starting' })],
    });
  });

  test('kills for want of memory are told while the container lives', async () => {
    await using box = await startContainer({ image, memory: '32m' });
    const kills: number[] = [];
    onOomKill(box.parts, (count) => kills.push(count));
    expect((await box.exec(['tail', '/dev/zero'])).exitCode).toBe(137);
    await until(() => kills.length === 1, 'the first kill to be told');
    expect((await box.exec(['tail', '/dev/zero'])).exitCode).toBe(137);
    await until(() => kills.length === 2, 'the second kill to be told');
    expect(kills).toEqual([1, 2]);
    expect((await box.inspect()).State.Running).toBe(true);
  });

  test('swap and reservation arrive where the kernel keeps them', async () => {
    await using box = await startContainer({
      image,
      memory: '64m',
      memorySwap: '80m',
      memoryReservation: '48m',
    });
    const read = async (...files: string[]) => {
      const paths = files.map((file) => `/sys/fs/cgroup/${file}`);
      const { stdout } = await box.exec(['sh', '-c', `cat ${paths.join(' ')} 2>/dev/null`]);
      return stdout.trim().split('\n').map(Number);
    };
    const v1 = await read('memory/memory.memsw.limit_in_bytes', 'memory/memory.soft_limit_in_bytes');
    const v2 = await read('memory.swap.max', 'memory.low');
    expect([v1, v2]).toContainEqual(v1.length === 2 ? [80 << 20, 48 << 20] : [16 << 20, 48 << 20]);
  });

  test('a fork bomb stops at the limit of processes', async () => {
    await using box = await startContainer({ image, pids: 20 });
    // Each copy starts two more, all of which stay.
    const bomb = 'bomb() { bomb & bomb & wait; }; bomb';
    await box
      .exec(['sh', '-c', `(${bomb}) > /dev/null 2>&1 < /dev/null`], { timeout: '20s' })
      .catch(() => {});
    expect(countersOf(box).pids).toEqual({ current: expect.any(Number), limit: 20 });
    const { stdout, stderr, exitCode } = await box.exec([
      'sh',
      '-c',
      'for i in $(seq 50); do sleep 1000 > /dev/null 2>&1 & echo $i; done',
    ]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/Cannot fork/);
    // Its own, init and what init watches over: three of the twenty.
    expect(stdout.trim().split('\n')).toHaveLength(17);
    // The shell that found no room has gone.
    expect(countersOf(box).pids!.current).toBe(19);
  });

  test('hogs get their quota of CPU, within a tenth', async () => {
    const cpus = 0.2;
    await using box = await startContainer({
      image,
      cpus,
      command: ['sh', '-c', 'while :; do :; done & while :; do :; done'],
    });
    const read = () => countersOf(box).cpu!;
    await until(() => read().throttling!.throttledPeriods > 2, 'the first throttled periods');
    const before = read();
    await until(() => read().throttling!.periods >= before.throttling!.periods + 25, '25 periods');
    const after = read();
    const periods = after.throttling!.periods - before.throttling!.periods;
    const share = (after.total - before.total) / (periods * 100);
    expect(share).toBeGreaterThan(cpus * 0.9);
    expect(share).toBeLessThan(cpus * 1.1);
    expect(after.throttling!.throttledTime).toBeGreaterThan(before.throttling!.throttledTime);
  });

  test('what is executed later counts against the quota too', async () => {
    await using box = await startContainer({ image, cpus: 0.2 });
    const hog = box.exec(HOG, { timeout: '30s' }).catch(() => {});
    await until(() => countersOf(box).cpu!.throttling!.throttledPeriods > 2, 'throttled periods');
    await box.stop({ timeout: 0 });
    await hog;
  });

  test('two hogs on one CPU share it by weight, on whichever scale', async () => {
    const start = (weight: object) => startContainer({ image, command: HOG, cpuset: '0', ...weight });
    await using light = await start({ cpuWeight: 50 });
    await using heavy = await start({ cpuShares: 1536 });
    const before = [cpuTime(light), cpuTime(heavy)] as const;
    await until(() => cpuTime(heavy) > before[1] + 1_000, 'a second of CPU time');
    const ratio = (cpuTime(heavy) - before[1]) / (cpuTime(light) - before[0]);
    expect(ratio).toBeGreaterThan(2.4);
    expect(ratio).toBeLessThan(3.6);
  });

  test('a process sees the CPUs and nodes that it may use', async () => {
    await using box = await startContainer({ image, cpuset: '0', cpusetMems: '0' });
    const allowed = async (container: Container) => {
      const { stdout } = await container.exec(['grep', '_allowed_list', '/proc/self/status']);
      return stdout.trim().split('\n');
    };
    expect(await allowed(box)).toEqual(['Cpus_allowed_list:\t0', 'Mems_allowed_list:\t0']);
  });

  test.each([
    [{ cpuset: '0-9223372036854775807' }, 'option.invalid'],
    [{ cpusetMems: '4294967296' }, 'option.invalid'],
    [{ cpuset: '0-1,' }, 'option.invalid'],
    [{ cpuset: '8000' }, 'cgroup.cpuset-unavailable'],
    [{ cpus: 5000 }, 'cgroup.cpus-out-of-range'],
    [{ memory: '1m' }, 'cgroup.memory-too-small'],
    [{ memory: '64m', memorySwap: '32m' }, 'cgroup.memory-swap-invalid'],
    [{ memorySwap: '64m' }, 'cgroup.memory-swap-invalid'],
    [{ memory: '64m', memoryReservation: '65m' }, 'cgroup.memory-reservation-invalid'],
    [{ cpuShares: 100, cpuWeight: 100 }, 'option.invalid'],
    [{ ioLimits: [{ device: '/proc/1', readBps: 1 }] }, 'cgroup.no-such-disk'],
    [{ ioLimits: [{ device: '/dev/null', readBps: 1 }] }, 'cgroup.no-such-disk'],
    [{ ioLimits: [{}] }, 'option.invalid'],
    [{ devices: [{ host: '/dev/no-such-device' }] }, 'container.not-a-device'],
    [{ devices: [{ host: '/etc/passwd' }] }, 'container.not-a-device'],
    [{ devices: [{ host: '/dev/null', access: 'x' }] }, 'option.invalid'],
  ])('%j is refused with %s', async (options, code) => {
    await expect(startContainer({ image, ...options })).rejects.toMatchObject({ code });
  });

  test('inspect tells the limits as Docker does', async () => {
    await using box = await startContainer({
      image,
      memory: '64m',
      memoryReservation: '32m',
      cpus: 0.5,
      cpuShares: 512,
      cpuset: '0',
      pids: 99,
      ioLimits: [{ device: '/', readBps: '10m', writeIops: 100 }],
    });
    const disk = { Path: expect.stringMatching(/^\/dev\/\w/) };
    expect((await box.inspect()).HostConfig).toMatchObject({
      Memory: 64 << 20,
      MemorySwap: 128 << 20,
      MemoryReservation: 32 << 20,
      NanoCpus: 5e8,
      CpuShares: 512,
      CpusetCpus: '0',
      CpusetMems: '',
      PidsLimit: 99,
      BlkioWeight: 0,
      BlkioDeviceReadBps: [{ ...disk, Rate: 10 << 20 }],
      BlkioDeviceWriteBps: [],
      BlkioDeviceWriteIOps: [{ ...disk, Rate: 100 }],
      Devices: [],
    });
  });
});
