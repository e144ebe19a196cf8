import { cpus } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { Hierarchies } from '../../../../src/kernel/cgroups/hierarchies.ts';
import { type Limits, planCgroup } from '../../../../src/kernel/cgroups/plan.ts';

const ALL: Limits = { memory: 512 << 20, cpus: 0.5, pids: 200 };

const V1 = new Map([
  ['cpu', '/cg/cpu,cpuacct'],
  ['cpuacct', '/cg/cpu,cpuacct'],
  ['memory', '/cg/memory'],
  ['pids', '/cg/pids'],
]);

const onV1: Hierarchies = { v1: V1, v2: undefined };
const onHybrid: Hierarchies = { v1: V1, v2: { mount: '/cg/unified', controllers: new Set() } };
const onV2: Hierarchies = {
  v1: new Map(),
  v2: { mount: '/cg', controllers: new Set(['cpuset', 'cpu', 'memory', 'pids']) },
};

/** The plan as text, in the order in which it is carried out. */
function explainPlan(hierarchies: Hierarchies, limits: Limits): string {
  const { directories, writes, joinFiles, unified, oomFile } = planCgroup(hierarchies, { id: 'x1', limits });
  return [
    ...directories.map((path) => `mkdir ${path}`),
    ...writes.map(({ path, value, optional }) => `write${optional ? '?' : ''} ${path} ${value}`),
    ...joinFiles.map((path) => `join ${path}`),
    `born in ${unified ?? 'its parent’s'}`,
    `oom in ${oomFile ?? 'none'}`,
  ].join('\n');
}

describe('planCgroup', () => {
  test('on v1 makes a directory in each hierarchy that a limit needs', () => {
    expect(explainPlan(onV1, ALL)).toMatchInlineSnapshot(`
      "mkdir /cg/memory/mayfly/x1
      mkdir /cg/cpu,cpuacct/mayfly/x1
      mkdir /cg/pids/mayfly/x1
      write /cg/memory/mayfly/x1/memory.limit_in_bytes 536870912
      write? /cg/memory/mayfly/x1/memory.memsw.limit_in_bytes 1073741824
      write /cg/cpu,cpuacct/mayfly/x1/cpu.cfs_period_us 100000
      write /cg/cpu,cpuacct/mayfly/x1/cpu.cfs_quota_us 50000
      write /cg/pids/mayfly/x1/pids.max 200
      join /cg/memory/mayfly/x1/cgroup.procs
      join /cg/cpu,cpuacct/mayfly/x1/cgroup.procs
      join /cg/pids/mayfly/x1/cgroup.procs
      born in its parent’s
      oom in /cg/memory/mayfly/x1/memory.oom_control"
    `);
  });

  test('on a hybrid host the process is born in cgroup2 and moves into v1 for its limits only', () => {
    expect(explainPlan(onHybrid, { pids: 10 })).toMatchInlineSnapshot(`
      "mkdir /cg/unified/mayfly/x1
      mkdir /cg/pids/mayfly/x1
      write /cg/pids/mayfly/x1/pids.max 10
      join /cg/pids/mayfly/x1/cgroup.procs
      born in /cg/unified/mayfly/x1
      oom in none"
    `);
  });

  test('on v2 hands the controllers down, from the top, before the limits are written', () => {
    expect(explainPlan(onV2, ALL)).toMatchInlineSnapshot(`
      "mkdir /cg/mayfly/x1
      write /cg/cgroup.subtree_control +memory +cpu +pids
      write /cg/mayfly/cgroup.subtree_control +memory +cpu +pids
      write /cg/mayfly/x1/memory.max 536870912
      write? /cg/mayfly/x1/memory.swap.max 536870912
      write /cg/mayfly/x1/cpu.max 50000 100000
      write /cg/mayfly/x1/pids.max 200
      born in /cg/mayfly/x1
      oom in /cg/mayfly/x1/memory.events"
    `);
  });

  test('on v2 without limits hands nothing down', () => {
    expect(explainPlan(onV2, {})).toMatchInlineSnapshot(`
      "mkdir /cg/mayfly/x1
      born in /cg/mayfly/x1
      oom in none"
    `);
  });

  test('without limits v1 is not touched, as the first move into it costs 12 ms', () => {
    expect(explainPlan(onV1, {})).toMatchInlineSnapshot(`
      "born in its parent’s
      oom in none"
    `);
    expect(planCgroup(onHybrid, { id: 'x1', limits: {} }).directories).toEqual(['/cg/unified/mayfly/x1']);
  });

  test('two limits of one hierarchy share its directory and are joined once', () => {
    const together: Hierarchies = {
      v1: new Map([...V1.keys()].map((name) => [name, '/cg/all'])),
      v2: undefined,
    };
    const { directories, joinFiles } = planCgroup(together, { id: 'x1', limits: ALL });
    expect(directories).toEqual(['/cg/all/mayfly/x1']);
    expect(joinFiles).toEqual(['/cg/all/mayfly/x1/cgroup.procs']);
  });

  test('a controller of cgroup2 goes before the same one of v1, which then has no say', () => {
    const both: Hierarchies = { v1: V1, v2: onV2.v2 };
    expect(planCgroup(both, { id: 'x1', limits: ALL }).joinFiles).toEqual([]);
  });

  test('a limit whose controller is missing is an error that says where it was looked for', () => {
    const bare: Hierarchies = { v1: new Map(), v2: { mount: '/cg', controllers: new Set(['cpu']) } };
    expect(() => planCgroup(bare, { id: 'x1', limits: { memory: 8 << 20 } })).toThrow(
      expect.objectContaining({ code: 'cgroup.controller-missing' }),
    );
    expect(() =>
      planCgroup(bare, { id: 'x1', limits: { memory: 8 << 20 } }),
    ).toThrowErrorMatchingInlineSnapshot(`
      [MayflyError: this host has no memory controller in cgroup2, and on no mounted v1 hierarchy, so the limit cannot be enforced
        hint: leave the limit out, or see /proc/cgroups: the kernel parameter cgroup_disable may have switched memory off]
    `);
    expect(() =>
      planCgroup({ v1: new Map(), v2: undefined }, { id: 'x1', limits: { pids: 1 } }),
    ).toThrowErrorMatchingInlineSnapshot(`
      [MayflyError: this host has no pids controller on any mounted v1 hierarchy, and no cgroup2, so the limit cannot be enforced
        hint: leave the limit out, or see /proc/cgroups: the kernel parameter cgroup_disable may have switched pids off]
    `);
  });
});

describe('a limit out of range is refused before anything is made', () => {
  test.each<[string, Limits]>([
    ['cgroup.memory-too-small', { memory: (6 << 20) - 1 }],
    ['cgroup.memory-too-small', { memory: Number.NaN }],
    ['cgroup.cpus-out-of-range', { cpus: 0 }],
    ['cgroup.cpus-out-of-range', { cpus: -1 }],
    ['cgroup.cpus-out-of-range', { cpus: 0.009 }],
    ['cgroup.cpus-out-of-range', { cpus: cpus().length + 0.1 }],
    ['cgroup.pids-out-of-range', { pids: 0 }],
    ['cgroup.pids-out-of-range', { pids: 1.5 }],
    ['cgroup.pids-out-of-range', { pids: 2 ** 32 }],
  ])('%s for %j', (code, limits) => {
    expect(() => planCgroup(onV2, { id: 'x1', limits })).toThrow(expect.objectContaining({ code }));
  });

  test.each<Limits>([{ memory: 6 << 20 }, { cpus: 0.01 }, { cpus: cpus().length }, { pids: 1 }])(
    '%j is just within',
    (limits) => {
      expect(planCgroup(onV2, { id: 'x1', limits }).writes.length).toBeGreaterThan(2);
    },
  );
});
