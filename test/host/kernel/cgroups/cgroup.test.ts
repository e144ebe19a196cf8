import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Cgroup, createCgroup, sweepCgroups } from '../../../../src/kernel/cgroups/cgroup.ts';
import type { Hierarchies } from '../../../../src/kernel/cgroups/hierarchies.ts';
import type { Limits } from '../../../../src/kernel/cgroups/limits.ts';
import { countOomKills } from '../../../../src/kernel/cgroups/memory.ts';
import { findDisk } from '../../../../src/kernel/devices/disk.ts';
import { deadlineIn, poll } from '../../../../src/support/deadline.ts';
import { enterHierarchies, mountsOf, runInside, waitForProcess } from '../../../fixtures/cgroups.ts';
import { requires } from '../../../requires.ts';

requires(
  'root',
  'memory-controller',
  'cpu-controller',
  'pids-controller',
)('cgroups of a container', () => {
  const hierarchies = enterHierarchies();

  // Fails with EBUSY when anything has been left inside.
  afterAll(() => {
    for (const mount of mountsOf(hierarchies)) rmdirSync(mount);
  });

  function expectNothingLeft({ directories }: Pick<Cgroup, 'directories'>): void {
    expect(directories.length).toBeGreaterThan(0);
    expect(directories.filter((path) => existsSync(path))).toEqual([]);
    expect(mountsOf(hierarchies).filter((mount) => existsSync(join(mount, 'mayfly')))).toEqual([]);
  }

  test('the limits can be read back from the kernel', async () => {
    const limits: Limits = {
      memory: 64 << 20,
      memorySwap: 96 << 20,
      memoryReservation: 32 << 20,
      cpus: 0.5,
      cpuWeight: 50,
      cpuset: '0',
      cpusetMems: '0',
      pids: 20,
      ioRates: [{ disk: findDisk('/'), readBps: 1 << 20, writeIops: 100 }],
    };
    const cgroup = createCgroup(hierarchies, { id: 'limits', limits });
    const settings = cgroup.writes.filter(({ path }) => !path.endsWith('subtree_control'));
    expect(settings.length).toBeGreaterThanOrEqual(9);
    for (const { path, value, missing } of settings) {
      if (typeof value !== 'string' || path.endsWith('/io.max')) continue;
      if (missing === undefined || existsSync(path))
        expect(readFileSync(path, 'utf8').trim(), path).toBe(value);
    }
    await cgroup.remove();
    expectNothingLeft(cgroup);
  });

  test('a process beyond the limit of pids cannot be forked', async () => {
    const cgroup = createCgroup(hierarchies, { id: 'pids', limits: { pids: 3 } });
    const { exitCode, stdout, stderr } = await runInside(
      cgroup,
      'exec 3>&1\nfor i in 1 2 3 4 5; do sleep 300 >/dev/null 2>&1 3>&- & echo $i; done',
    );
    expect(stdout).toBe('1\n2');
    expect(stderr).toMatch(/fork/);
    expect(exitCode).not.toBe(0);
    // The two that sleep are still there; removing kills them.
    await cgroup.remove();
    expectNothingLeft(cgroup);
  });

  test('what takes more memory than allowed is killed, and counted', async () => {
    const cgroup = createCgroup(hierarchies, { id: 'oom', limits: { memory: 16 << 20 } });
    // What a failure leaves would be found by all that come after.
    onTestFinished(() => cgroup.remove());
    const oomKills = () => countOomKills(readFileSync(cgroup.oomFile!, 'utf8'));
    expect(oomKills()).toBe(0);
    // tail keeps everything, as the stream has no end of line.
    const { exitCode, signal } = await runInside(cgroup, 'head -c 200m /dev/zero | tail > /dev/null');
    // The kernel sometimes ends the shell, too, when it has not got the memory of the first one back yet.
    expect(signal ?? exitCode).toBe(signal === undefined ? 128 + 9 : 'SIGKILL');
    expect(oomKills()).toBeGreaterThanOrEqual(1);
    await cgroup.remove();
    expectNothingLeft(cgroup);
  });

  test('a process gets no more CPU time than allowed', async () => {
    const cgroup = createCgroup(hierarchies, { id: 'cpu', limits: { cpus: 0.1 } });
    const cpu = cgroup.writes.find(({ path }) => path.includes('cpu.'))!.path;
    const statistics = join(cpu, '../cpu.stat');
    const running = runInside(cgroup, 'while :; do :; done');
    // The kernel itself says when it has made the process wait for the next period.
    await poll(() => /^nr_throttled [1-9]/m.test(readFileSync(statistics, 'utf8')) || undefined, {
      deadline: deadlineIn(20_000),
      what: 'the process to be throttled',
    });
    await cgroup.remove();
    expect((await running).signal).toBe('SIGKILL');
    expectNothingLeft(cgroup);
  });

  test('removing kills what is inside, below and in nested cgroups, and twice is no error', async () => {
    const cgroup = createCgroup(hierarchies, { id: 'busy', limits: { pids: 20 } });
    const leader = cgroup.directories.at(-1)!;
    const nested = join(leader, 'nested');
    mkdirSync(nested);
    const outer = runInside(cgroup, 'exec sleep 300');
    const inner = runInside(
      { joinFiles: [join(nested, 'cgroup.procs')], unified: undefined },
      'exec sleep 300',
    );
    await waitForProcess(nested);
    await waitForProcess(leader);
    await cgroup.remove();
    expect((await outer).signal).toBe('SIGKILL');
    expect((await inner).signal).toBe('SIGKILL');
    await cgroup.remove();
    expectNothingLeft(cgroup);
  });

  test('sweeping removes the cgroups of the dead and leaves those of the living', async () => {
    const dead = createCgroup(hierarchies, { id: 'dead', limits: { pids: 20, memory: 64 << 20 } });
    const living = createCgroup(hierarchies, { id: 'living', limits: { pids: 20 } });
    const orphan = runInside(dead, 'exec sleep 300');
    await waitForProcess(dead.directories.at(-1)!);
    await sweepCgroups(hierarchies, ['dead', 'never-made']);
    expect((await orphan).signal).toBe('SIGKILL');
    expect(dead.directories.filter((path) => existsSync(path))).toEqual([]);
    expect(living.directories.filter((path) => !existsSync(path))).toEqual([]);
    await living.remove();
    expectNothingLeft(living);
  });

  describe('a setting that the kernel refuses', () => {
    test('is an error with file and value, and leaves nothing', () => {
      const [mount] = mountsOf(hierarchies);
      // Said to have pids, and does not.
      const wrong: Hierarchies = { v1: new Map([['pids', mount!]]), v2: undefined };
      const limits = { pids: 5 };
      const wanted = join(mount!, 'mayfly/refused/pids.max');
      if (mount === hierarchies.v1.get('pids'))
        throw new Error('the test needs another hierarchy than that of pids');
      expect(() => createCgroup(wrong, { id: 'refused', limits })).toThrow(
        expect.objectContaining({
          code: 'cgroup.refused',
          message: expect.stringContaining(`cannot write "5" to ${wanted}: ENOENT`),
        }),
      );
      expectNothingLeft({ directories: [join(mount!, 'mayfly/refused')] });
    });

    test('of a directory that cannot be made says which', () => {
      const wrong: Hierarchies = { v1: new Map([['pids', '/proc']]), v2: undefined };
      expect(() => createCgroup(wrong, { id: 'refused', limits: { pids: 5 } })).toThrow(
        expect.objectContaining({
          code: 'cgroup.refused',
          message: expect.stringContaining('cannot make /proc/mayfly: ENOENT'),
        }),
      );
    });
  });
});

requires('root', 'cgroup2')('a cgroup in the v2 hierarchy', () => {
  test('is there without any limit, for birth and for killing, and nothing is handed down', async () => {
    const hierarchies = enterHierarchies();
    const cgroup = createCgroup(hierarchies, { id: 'plain', limits: {} });
    expect(cgroup.directories).toEqual([cgroup.unified]);
    expect(cgroup.writes).toEqual([]);
    expect(existsSync(join(cgroup.unified!, 'cgroup.kill'))).toBe(true);
    const running = runInside(cgroup, 'sleep 300; echo not reached');
    await waitForProcess(cgroup.unified!);
    await cgroup.remove();
    expect((await running).signal).toBe('SIGKILL');
    for (const mount of mountsOf(hierarchies)) rmdirSync(mount);
  });
});
