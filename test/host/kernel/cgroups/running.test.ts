import { closeSync, existsSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadDeviceProgram } from '../../../../src/kernel/bpf/load.ts';
import { type Cgroup, createCgroup } from '../../../../src/kernel/cgroups/cgroup.ts';
import { compileDeviceProgram } from '../../../../src/kernel/cgroups/device-program.ts';
import { freeze, isFrozen, thaw } from '../../../../src/kernel/cgroups/freeze.ts';
import type { Hierarchies } from '../../../../src/kernel/cgroups/hierarchies.ts';
import { findPlaces, type Places } from '../../../../src/kernel/cgroups/places.ts';
import { readStats } from '../../../../src/kernel/cgroups/stats.ts';
import { updateCgroup } from '../../../../src/kernel/cgroups/update.ts';
import { deadlineIn, poll } from '../../../../src/support/deadline.ts';
import { enterHierarchies, mountsOf, runInside, waitForProcess } from '../../../fixtures/cgroups.ts';
import { requires } from '../../../requires.ts';

const MIB = 1 << 20;
const HOG = 'while :; do :; done';

/** Uses CPU itself: whoever runs beside gets some meanwhile, too. */
function burnCpu(milliseconds: number): void {
  const start = process.cpuUsage();
  while (process.cpuUsage(start).user < milliseconds * 1000);
}

requires(
  'root',
  'cgroup2',
  'memory-controller',
  'cpu-controller',
  'pids-controller',
)('cgroups of a running container', () => {
  let hierarchies: Hierarchies;
  let places: Places;
  let cgroup: Cgroup;

  beforeAll(() => {
    hierarchies = enterHierarchies();
    places = findPlaces(hierarchies, 'running');
  });
  afterAll(() => {
    for (const mount of mountsOf(hierarchies)) rmdirSync(mount);
  });

  const inside = (name: 'memory' | 'pids') =>
    readFileSync(join(places.find(name)!.directory, 'cgroup.procs'), 'utf8')
      .trim()
      .split('\n');

  async function running(script: string, use: (process: ReturnType<typeof runInside>) => Promise<void>) {
    cgroup = createCgroup(hierarchies, { id: 'running', limits: {} });
    const process = runInside(cgroup, script);
    try {
      await waitForProcess(cgroup.unified!);
      await use(process);
    } finally {
      await cgroup.remove();
      await process;
    }
  }

  test('an update moves everybody into the cgroups that it makes, and those who come later are born there', async () => {
    await running('for i in 1 2 3; do sleep 300 & done; wait', async () => {
      await poll(
        () =>
          readFileSync(join(cgroup.unified!, 'cgroup.procs'), 'utf8').trim().split('\n').length === 4 ||
          undefined,
        {
          deadline: deadlineIn(10_000),
          what: 'four processes',
        },
      );
      await updateCgroup(hierarchies, { id: 'running', limits: { pids: 50, memory: 64 * MIB }, before: {} });
      const members = readFileSync(join(cgroup.unified!, 'cgroup.procs'), 'utf8').trim().split('\n');
      expect(inside('memory').toSorted()).toEqual(members.toSorted());
      expect(inside('pids').toSorted()).toEqual(members.toSorted());
      expect(readStats(places)).toMatchObject({
        pids: { current: 4, limit: 50 },
        memory: { limit: 64 * MIB, oomKills: 0 },
      });
    });
  });

  test('nobody stays outside, however fast they fork', async () => {
    await running('while :; do (sleep 0.001 &) ; done', async () => {
      await updateCgroup(hierarchies, { id: 'running', limits: { memory: 64 * MIB }, before: {} });
      // Held still, so that both lists are of one moment.
      await freeze(places);
      const members = readFileSync(join(cgroup.unified!, 'cgroup.procs'), 'utf8').trim().split('\n');
      expect(inside('memory').toSorted()).toEqual(members.toSorted());
    });
  });

  test('a setting that the kernel refuses takes back those before it', async () => {
    await running('exec sleep 300', async () => {
      await updateCgroup(hierarchies, { id: 'running', limits: { memory: 64 * MIB }, before: {} });
      const before = { memory: 64 * MIB };
      const limits = { memory: 32 * MIB, ioRates: [{ disk: '4095:1', readBps: 5 }] };
      await expect(updateCgroup(hierarchies, { id: 'running', limits, before })).rejects.toMatchObject({
        code: 'cgroup.refused',
        message: expect.stringMatching(/4095:1.*(ENODEV|ENXIO)/),
      });
      expect(readStats(places).memory?.limit).toBe(64 * MIB);
    });
  });

  test('frozen processes stand still until they are thawed, and can be killed', async () => {
    await running(HOG, async (process) => {
      await freeze(places);
      expect(isFrozen(places)).toBe(true);
      const still = readStats(places).cpu!.total;
      burnCpu(60);
      expect(readStats(places).cpu!.total).toBe(still);
      thaw(places);
      await poll(() => readStats(places).cpu!.total > still + 50 || undefined, {
        deadline: deadlineIn(10_000),
        what: 'the process to go on',
      });
      await freeze(places);
      await cgroup.remove();
      expect((await process).signal).toBe('SIGKILL');
      thaw(places);
    });
  });

  test('a program attached to cgroup2 refuses devices that no rule names, and says nothing about nodes', async () => {
    const deviceProgram = loadDeviceProgram(
      compileDeviceProgram([
        { type: 'char', major: 1, minor: 3, access: 'rw' },
        { type: 'block', access: 'm' },
      ]),
    );
    cgroup = createCgroup(hierarchies, { id: 'running', limits: {}, deviceProgram });
    closeSync(deviceProgram);
    const node = join(tmpdir(), `mayfly-node-${process.pid}`);
    const script = `echo > /dev/null && echo null
      cat /dev/zero 2>&1 | head -c 100
      mknod ${node} b 7 0 && echo made && cat ${node}; rm ${node}; mknod ${node} c 1 3`;
    const { stdout, stderr } = await runInside(cgroup, script);
    expect(stdout).toBe('null\ncat: /dev/zero: Operation not permitted\nmade');
    expect(stderr).toMatch(/cat: .*Operation not permitted\nmknod: .*Operation not permitted/);
    await cgroup.remove();
  });

  test('time of CPU is counted from birth, without any controller', async () => {
    await running(HOG, async () => {
      await poll(() => readStats(places).cpu!.total > 100 || undefined, {
        deadline: deadlineIn(10_000),
        what: 'some CPU time',
      });
      const { cpu } = readStats(places);
      expect(cpu!.user + cpu!.system).toBeCloseTo(cpu!.total, -1);
    });
  });
});

requires(
  'root',
  'devices-controller',
  'pids-controller',
)('on a host without cgroup2', () => {
  test('the devices controller refuses what is not allowed, everybody is moved, and nothing can be frozen', async () => {
    const hierarchies: Hierarchies = { ...enterHierarchies(), v2: undefined };
    const places = findPlaces(hierarchies, 'v1');
    const cgroup = createCgroup(hierarchies, {
      id: 'v1',
      limits: {},
      devices: [{ type: 'char', major: 1, minor: 3, access: 'rw' }],
    });
    const { stdout } = await runInside(
      cgroup,
      'echo > /dev/null && echo null; cat /dev/zero | head -c 1 || true; echo end',
    );
    expect(stdout).toBe('null\nend');
    const hog = runInside(cgroup, HOG);
    await waitForProcess(cgroup.directories[0]!);
    await updateCgroup(hierarchies, { id: 'v1', limits: { pids: 20 }, before: {} });
    expect(readStats(places).pids).toEqual({ current: 1, limit: 20 });
    await expect(freeze(places)).rejects.toMatchObject({ code: 'cgroup.cannot-freeze' });
    await cgroup.remove();
    expect((await hog).signal).toBe('SIGKILL');
    for (const mount of mountsOf(enterHierarchies())) rmdirSync(mount);
  });
});

requires('root', 'cgroup2')('controllers of cgroup2 that cannot be handed down', () => {
  const claimed = (): Hierarchies => {
    const { v2 } = enterHierarchies();
    return { v1: new Map(), v2: { mount: v2!.mount, controllers: new Set(['rdma', 'pids', 'memory']) } };
  };
  // In cgroup2's hierarchy of this host, v1 holds them; where cgroup2 has them, the test says nothing.
  const held = enterHierarchies().v1.has('pids');

  test.runIf(held)('are no obstacle when they would only count', async () => {
    const cgroup = createCgroup(claimed(), { id: 'v2', limits: {} });
    expect(existsSync(cgroup.unified!)).toBe(true);
    await cgroup.remove();
  });

  test.runIf(held)('are an error when a limit needs them, and nothing is left', () => {
    expect(() => createCgroup(claimed(), { id: 'v2', limits: { pids: 5 } })).toThrow(
      expect.objectContaining({ code: 'cgroup.refused', message: expect.stringContaining('"+pids"') }),
    );
    expect(existsSync(findPlaces(claimed(), 'v2').unified!)).toBe(false);
    for (const mount of mountsOf(enterHierarchies())) rmdirSync(mount);
  });
});
