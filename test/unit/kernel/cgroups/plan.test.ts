import { describe, expect, test } from 'vitest';
import type { Machine } from '../../../../src/kernel/cgroups/controller.ts';
import { DEFAULT_DEVICE_RULES } from '../../../../src/kernel/cgroups/device-rule.ts';
import type { Hierarchies } from '../../../../src/kernel/cgroups/hierarchies.ts';
import type { Limits } from '../../../../src/kernel/cgroups/limits.ts';
import { type CgroupRequest, planCgroup } from '../../../../src/kernel/cgroups/plan.ts';

const ALL: Limits = { memory: 512 << 20, cpus: 0.5, pids: 200 };

const machine: Machine = {
  cpus: new Set([0, 1, 2, 3]),
  memoryNodes: new Set([0]),
  ioWeighing: 'bfq',
  schedulers: 'sda: bfq',
};

const V1 = new Map([
  ['cpu', '/cg/cpu,cpuacct'],
  ['cpuacct', '/cg/cpu,cpuacct'],
  ['memory', '/cg/memory'],
  ['pids', '/cg/pids'],
  ['blkio', '/cg/blkio'],
  ['cpuset', '/cg/cpuset'],
  ['devices', '/cg/devices'],
]);

const onV1: Hierarchies = { v1: V1, v2: undefined };
const onHybrid: Hierarchies = { v1: V1, v2: { mount: '/cg/unified', controllers: new Set() } };
const onV2: Hierarchies = {
  v1: new Map(),
  v2: { mount: '/cg', controllers: new Set(['cpuset', 'cpu', 'memory', 'pids', 'io']) },
};

/** The plan as text, in the order in which it is carried out. */
function explainPlan(
  hierarchies: Hierarchies,
  limits: Limits,
  more: Omit<CgroupRequest, 'id' | 'limits'> = {},
): string {
  const { directories, writes, joinFiles, unified } = plan(hierarchies, limits, more);
  return [
    ...directories.map((path) => `mkdir ${path}`),
    ...writes.map(({ path, value, missing, tolerant }) => {
      const mark = tolerant || missing === 'skip' ? '?' : missing === undefined ? '' : '!';
      return `write${mark} ${path} ${typeof value === 'string' ? value : `= ${value.copyOf}`}`;
    }),
    ...joinFiles.map((path) => `join ${path}`),
    `born in ${unified ?? 'its parent’s'}`,
  ].join('\n');
}

const plan = (hierarchies: Hierarchies, limits: Limits, more: Omit<CgroupRequest, 'id' | 'limits'> = {}) =>
  planCgroup(hierarchies, { id: 'x1', limits, machine, ...more });

/** Only what is written to the container's own files, without the directory. */
const settings = (hierarchies: Hierarchies, limits: Limits, before: Limits = {}) =>
  explainPlan(hierarchies, limits, { before })
    .split('\n')
    .flatMap((line) => /^write[?!]? \S+\/x1\/(.*)$/.exec(line)?.[1] ?? []);

describe('planCgroup', () => {
  test('on v1 makes a directory in each hierarchy that a limit needs, and in those that count', () => {
    expect(explainPlan(onV1, ALL, { disk: '8:0' })).toMatchInlineSnapshot(`
      "mkdir /cg/memory/mayfly/x1
      mkdir /cg/cpu,cpuacct/mayfly/x1
      mkdir /cg/pids/mayfly/x1
      mkdir /cg/blkio/mayfly/x1
      write /cg/memory/mayfly/x1/memory.limit_in_bytes 536870912
      write? /cg/memory/mayfly/x1/memory.memsw.limit_in_bytes 1073741824
      write /cg/cpu,cpuacct/mayfly/x1/cpu.cfs_period_us 100000
      write /cg/cpu,cpuacct/mayfly/x1/cpu.cfs_quota_us 50000
      write /cg/pids/mayfly/x1/pids.max 200
      write? /cg/blkio/mayfly/x1/blkio.throttle.read_bps_device 8:0 0
      join /cg/memory/mayfly/x1/cgroup.procs
      join /cg/cpu,cpuacct/mayfly/x1/cgroup.procs
      join /cg/pids/mayfly/x1/cgroup.procs
      join /cg/blkio/mayfly/x1/cgroup.procs
      born in its parent’s"
    `);
  });

  test('on a hybrid host the process is born in cgroup2, and moves into v1 only when a limit needs it', () => {
    expect(explainPlan(onHybrid, { pids: 10 })).toMatchInlineSnapshot(`
      "mkdir /cg/unified/mayfly/x1
      mkdir /cg/pids/mayfly/x1
      mkdir /cg/memory/mayfly/x1
      mkdir /cg/cpu,cpuacct/mayfly/x1
      mkdir /cg/blkio/mayfly/x1
      write /cg/pids/mayfly/x1/pids.max 10
      join /cg/pids/mayfly/x1/cgroup.procs
      join /cg/memory/mayfly/x1/cgroup.procs
      join /cg/cpu,cpuacct/mayfly/x1/cgroup.procs
      join /cg/blkio/mayfly/x1/cgroup.procs
      born in /cg/unified/mayfly/x1"
    `);
  });

  test('on v2 hands the controllers down, from the top, before the limits are written', () => {
    expect(explainPlan(onV2, ALL)).toMatchInlineSnapshot(`
      "mkdir /cg/mayfly/x1
      write /cg/cgroup.subtree_control +memory +cpu +pids
      write /cg/mayfly/cgroup.subtree_control +memory +cpu +pids
      write? /cg/cgroup.subtree_control +io
      write? /cg/mayfly/cgroup.subtree_control +io
      write /cg/mayfly/x1/memory.max 536870912
      write? /cg/mayfly/x1/memory.swap.max 536870912
      write /cg/mayfly/x1/cpu.max 50000 100000
      write /cg/mayfly/x1/pids.max 200
      born in /cg/mayfly/x1"
    `);
  });

  test('on v2 without limits what the container uses is counted, if the kernel allows', () => {
    expect(explainPlan(onV2, {})).toMatchInlineSnapshot(`
      "mkdir /cg/mayfly/x1
      write? /cg/cgroup.subtree_control +memory +cpu +pids +io
      write? /cg/mayfly/cgroup.subtree_control +memory +cpu +pids +io
      born in /cg/mayfly/x1"
    `);
  });

  test('without limits v1 is not touched, as the first move into it costs 12 ms', () => {
    expect(explainPlan(onHybrid, {})).toMatchInlineSnapshot(`
      "mkdir /cg/unified/mayfly/x1
      born in /cg/unified/mayfly/x1"
    `);
    expect(plan(onHybrid, {}).directories).toEqual(['/cg/unified/mayfly/x1']);
  });

  test('counting can be asked for on v1, without any limit', () => {
    expect(explainPlan(onHybrid, {}, { accounting: true, disk: '8:0' })).toMatchInlineSnapshot(`
      "mkdir /cg/unified/mayfly/x1
      mkdir /cg/memory/mayfly/x1
      mkdir /cg/cpu,cpuacct/mayfly/x1
      mkdir /cg/pids/mayfly/x1
      mkdir /cg/blkio/mayfly/x1
      write? /cg/blkio/mayfly/x1/blkio.throttle.read_bps_device 8:0 0
      join /cg/memory/mayfly/x1/cgroup.procs
      join /cg/cpu,cpuacct/mayfly/x1/cgroup.procs
      join /cg/pids/mayfly/x1/cgroup.procs
      join /cg/blkio/mayfly/x1/cgroup.procs
      born in /cg/unified/mayfly/x1"
    `);
  });

  test('where there is no cgroup2, the devices controller says what may be used', () => {
    expect(explainPlan(onV1, {}, { devices: DEFAULT_DEVICE_RULES })).toMatchInlineSnapshot(`
      "mkdir /cg/devices/mayfly/x1
      mkdir /cg/memory/mayfly/x1
      mkdir /cg/cpu,cpuacct/mayfly/x1
      mkdir /cg/pids/mayfly/x1
      mkdir /cg/blkio/mayfly/x1
      write /cg/devices/mayfly/x1/devices.deny a
      write /cg/devices/mayfly/x1/devices.allow c 1:3 rwm
      write /cg/devices/mayfly/x1/devices.allow c 1:5 rwm
      write /cg/devices/mayfly/x1/devices.allow c 1:7 rwm
      write /cg/devices/mayfly/x1/devices.allow c 1:8 rwm
      write /cg/devices/mayfly/x1/devices.allow c 1:9 rwm
      write /cg/devices/mayfly/x1/devices.allow c 5:0 rwm
      write /cg/devices/mayfly/x1/devices.allow c 5:1 rwm
      write /cg/devices/mayfly/x1/devices.allow c 5:2 rwm
      write /cg/devices/mayfly/x1/devices.allow c 136:* rwm
      write /cg/devices/mayfly/x1/devices.allow c *:* m
      write /cg/devices/mayfly/x1/devices.allow b *:* m
      join /cg/devices/mayfly/x1/cgroup.procs
      join /cg/memory/mayfly/x1/cgroup.procs
      join /cg/cpu,cpuacct/mayfly/x1/cgroup.procs
      join /cg/pids/mayfly/x1/cgroup.procs
      join /cg/blkio/mayfly/x1/cgroup.procs
      born in its parent’s"
    `);
  });

  test('two limits of one hierarchy share its directory and are joined once', () => {
    const together: Hierarchies = {
      v1: new Map([...V1.keys()].filter((name) => name !== 'cpuset').map((name) => [name, '/cg/all'])),
      v2: undefined,
    };
    const { directories, joinFiles } = plan(together, ALL);
    expect(directories).toEqual(['/cg/all/mayfly/x1']);
    expect(joinFiles).toEqual(['/cg/all/mayfly/x1/cgroup.procs']);
  });

  test('who shares a v1 hierarchy with cpuset has to be given CPUs and nodes before anybody can join', () => {
    const together: Hierarchies = {
      v1: new Map([...V1.keys()].map((name) => [name, '/cg/all'])),
      v2: undefined,
    };
    expect(explainPlan(together, { pids: 5 })).toMatchInlineSnapshot(`
      "mkdir /cg/all/mayfly/x1
      write /cg/all/mayfly/cpuset.cpus = /cg/all/cpuset.cpus
      write /cg/all/mayfly/cpuset.mems = /cg/all/cpuset.mems
      write /cg/all/mayfly/x1/cpuset.cpus = /cg/all/mayfly/cpuset.cpus
      write /cg/all/mayfly/x1/cpuset.mems = /cg/all/mayfly/cpuset.mems
      write /cg/all/mayfly/x1/pids.max 5
      join /cg/all/mayfly/x1/cgroup.procs
      born in its parent’s"
    `);
  });

  test('a controller of cgroup2 goes before the same one of v1, which then has no say', () => {
    const both: Hierarchies = { v1: V1, v2: onV2.v2 };
    expect(plan(both, ALL).joinFiles).toEqual([]);
  });

  test('all directories that an update may add are known from the start', () => {
    expect(plan(onHybrid, {}).possible).toEqual([
      '/cg/unified/mayfly/x1',
      '/cg/cpu,cpuacct/mayfly/x1',
      '/cg/cpuset/mayfly/x1',
      '/cg/memory/mayfly/x1',
      '/cg/pids/mayfly/x1',
      '/cg/blkio/mayfly/x1',
      '/cg/devices/mayfly/x1',
    ]);
    expect(plan(onV2, ALL).possible).toEqual(['/cg/mayfly/x1']);
  });

  test('OOM kills are counted in the file of either version', () => {
    expect(plan(onHybrid, {}).oomFile).toBe('/cg/memory/mayfly/x1/memory.oom_control');
    expect(plan(onV2, {}).oomFile).toBe('/cg/mayfly/x1/memory.events');
  });

  test('a limit whose controller is missing is an error that says where it was looked for', () => {
    const bare: Hierarchies = { v1: new Map(), v2: { mount: '/cg', controllers: new Set(['cpu']) } };
    expect(() => plan(bare, { memory: 8 << 20 })).toThrow(
      expect.objectContaining({ code: 'cgroup.controller-missing' }),
    );
    expect(() => plan(bare, { memory: 8 << 20 })).toThrowErrorMatchingInlineSnapshot(`
      [MayflyError: this host has no memory controller in cgroup2, and on no mounted v1 hierarchy, so the limit cannot be enforced
        hint: leave the limit out, or see /proc/cgroups: the kernel parameter cgroup_disable may have switched memory off]
    `);
    expect(() => plan({ v1: new Map(), v2: undefined }, { pids: 1 })).toThrowErrorMatchingInlineSnapshot(`
      [MayflyError: this host has no pids controller on any mounted v1 hierarchy, and no cgroup2, so the limit cannot be enforced
        hint: leave the limit out, or see /proc/cgroups: the kernel parameter cgroup_disable may have switched pids off]
    `);
  });
});

describe('each limit, in the files of v1 and of v2', () => {
  const both = (limits: Limits, before?: Limits) => ({
    v1: settings(onHybrid, limits, before),
    v2: settings(onV2, limits, before),
  });

  test('memory, with swap as Docker has it by default, as given, or without end', () => {
    expect(both({ memory: 100 << 20 })).toMatchInlineSnapshot(`
      {
        "v1": [
          "memory.limit_in_bytes 104857600",
          "memory.memsw.limit_in_bytes 209715200",
        ],
        "v2": [
          "memory.max 104857600",
          "memory.swap.max 104857600",
        ],
      }
    `);
    expect(both({ memory: 100 << 20, memorySwap: 100 << 20 })).toMatchInlineSnapshot(`
      {
        "v1": [
          "memory.limit_in_bytes 104857600",
          "memory.memsw.limit_in_bytes 104857600",
        ],
        "v2": [
          "memory.max 104857600",
          "memory.swap.max 0",
        ],
      }
    `);
    expect(both({ memory: 100 << 20, memorySwap: 'unlimited' })).toMatchInlineSnapshot(`
      {
        "v1": [
          "memory.limit_in_bytes 104857600",
          "memory.memsw.limit_in_bytes -1",
        ],
        "v2": [
          "memory.max 104857600",
          "memory.swap.max max",
        ],
      }
    `);
  });

  test('memory that grows lets swap grow first, as v1 never takes more memory than both', () => {
    const small = { memory: 100 << 20 };
    const large = { memory: 300 << 20 };
    expect(both(large, small).v1.map((line) => line.split(' ')[0])).toEqual([
      'memory.memsw.limit_in_bytes',
      'memory.limit_in_bytes',
    ]);
    expect(both(small, large).v1.map((line) => line.split(' ')[0])).toEqual([
      'memory.limit_in_bytes',
      'memory.memsw.limit_in_bytes',
    ]);
  });

  test('a reservation of memory', () => {
    expect(both({ memoryReservation: 64 << 20 })).toMatchInlineSnapshot(`
      {
        "v1": [
          "memory.soft_limit_in_bytes 67108864",
        ],
        "v2": [
          "memory.low 67108864",
        ],
      }
    `);
  });

  test('a quota of CPU and a share of it', () => {
    expect(both({ cpus: 1.5 })).toMatchInlineSnapshot(`
      {
        "v1": [
          "cpu.cfs_period_us 100000",
          "cpu.cfs_quota_us 150000",
        ],
        "v2": [
          "cpu.max 150000 100000",
        ],
      }
    `);
    expect(both({ cpuWeight: 50 })).toMatchInlineSnapshot(`
      {
        "v1": [
          "cpu.shares 512",
        ],
        "v2": [
          "cpu.weight 50",
        ],
      }
    `);
  });

  test('CPUs and memory nodes', () => {
    expect(both({ cpuset: '0-1,3', cpusetMems: '0' })).toMatchInlineSnapshot(`
      {
        "v1": [
          "cpuset.cpus = /cg/cpuset/mayfly/cpuset.cpus",
          "cpuset.mems = /cg/cpuset/mayfly/cpuset.mems",
          "cpuset.cpus 0-1,3",
          "cpuset.mems 0",
        ],
        "v2": [
          "cpuset.cpus 0-1,3",
          "cpuset.mems 0",
        ],
      }
    `);
  });

  test('a share of the disk', () => {
    expect(both({ ioWeight: 300 })).toMatchInlineSnapshot(`
      {
        "v1": [
          "blkio.bfq.weight 300",
        ],
        "v2": [
          "io.bfq.weight 300",
        ],
      }
    `);
    const iocost = plan(onV2, { ioWeight: 300 }, { machine: { ...machine, ioWeighing: 'iocost' } });
    expect(iocost.writes.at(-1)).toEqual({ path: '/cg/mayfly/x1/io.weight', value: 'default 300' });
  });

  test('bytes and operations a second, of each disk', () => {
    const ioRates = [
      { disk: '8:0', readBps: 1 << 20, writeIops: 100 },
      { disk: '259:0', writeBps: 5, readIops: 0 },
    ];
    expect(both({ ioRates })).toMatchInlineSnapshot(`
      {
        "v1": [
          "blkio.throttle.read_bps_device 8:0 1048576",
          "blkio.throttle.write_iops_device 8:0 100",
          "blkio.throttle.write_bps_device 259:0 5",
          "blkio.throttle.read_iops_device 259:0 0",
        ],
        "v2": [
          "io.max 8:0 rbps=1048576 wiops=100",
          "io.max 259:0 wbps=5 riops=max",
        ],
      }
    `);
  });

  test('null lifts a limit', () => {
    const limits: Limits = {
      memory: null,
      memoryReservation: null,
      cpus: null,
      cpuWeight: null,
      cpuset: null,
      cpusetMems: null,
      pids: null,
      ioWeight: null,
    };
    expect(both(limits)).toMatchInlineSnapshot(`
      {
        "v1": [
          "cpuset.cpus = /cg/cpuset/mayfly/cpuset.cpus",
          "cpuset.mems = /cg/cpuset/mayfly/cpuset.mems",
          "memory.limit_in_bytes -1",
          "memory.memsw.limit_in_bytes -1",
          "memory.soft_limit_in_bytes -1",
          "cpu.cfs_period_us 100000",
          "cpu.cfs_quota_us -1",
          "cpu.shares 1024",
          "pids.max max",
          "blkio.bfq.weight 100",
        ],
        "v2": [
          "memory.max max",
          "memory.swap.max max",
          "memory.low 0",
          "cpu.max max 100000",
          "cpu.weight 100",
          "cpuset.cpus ",
          "cpuset.mems ",
          "pids.max max",
          "io.bfq.weight 100",
        ],
      }
    `);
  });
});

describe('a limit that cannot be kept is refused before anything is made', () => {
  test.each<[string, Limits]>([
    ['cgroup.memory-too-small', { memory: (6 << 20) - 1 }],
    ['cgroup.memory-too-small', { memory: Number.NaN }],
    ['cgroup.memory-swap-invalid', { memorySwap: 64 << 20 }],
    ['cgroup.memory-swap-invalid', { memorySwap: 'unlimited' }],
    ['cgroup.memory-swap-invalid', { memory: 64 << 20, memorySwap: 63 << 20 }],
    ['cgroup.memory-reservation-invalid', { memory: 64 << 20, memoryReservation: 65 << 20 }],
    ['cgroup.cpus-out-of-range', { cpus: 0 }],
    ['cgroup.cpus-out-of-range', { cpus: -1 }],
    ['cgroup.cpus-out-of-range', { cpus: 0.009 }],
    ['cgroup.cpus-out-of-range', { cpus: 4.1 }],
    ['cgroup.cpu-weight-out-of-range', { cpuWeight: 0 }],
    ['cgroup.cpu-weight-out-of-range', { cpuWeight: 10_001 }],
    ['cgroup.cpuset-unavailable', { cpuset: '0-4' }],
    ['cgroup.cpuset-unavailable', { cpusetMems: '1' }],
    ['cgroup.cpuset-invalid', { cpuset: '0-1,' }],
    ['cgroup.cpuset-invalid', { cpusetMems: '0-9223372036854775807' }],
    ['cgroup.pids-out-of-range', { pids: 0 }],
    ['cgroup.pids-out-of-range', { pids: 1.5 }],
    ['cgroup.pids-out-of-range', { pids: 2 ** 32 }],
    ['cgroup.io-weight-out-of-range', { ioWeight: 1001 }],
    ['cgroup.io-rate-invalid', { ioRates: [{ disk: '8:0', readBps: -1 }] }],
  ])('%s for %j', (code, limits) => {
    expect(() => plan(onV2, limits)).toThrow(expect.objectContaining({ code }));
  });

  test.each<Limits>([{ memory: 6 << 20 }, { cpus: 0.01 }, { cpus: 4 }, { cpuset: '3' }, { pids: 1 }])(
    '%j is just within',
    (limits) => {
      expect(settings(onV2, limits).length).toBeGreaterThan(0);
    },
  );

  test('a weight that no scheduler minds is an error with what the disks use instead', () => {
    const none: Machine = { ...machine, ioWeighing: undefined, schedulers: 'sda: mq-deadline' };
    expect(() => plan(onV2, { ioWeight: 300 }, { machine: none })).toThrowErrorMatchingInlineSnapshot(`
      [MayflyError: no disk of this machine shares its time out by weight (sda: mq-deadline)
        hint: leave ioWeight out, or: echo bfq > /sys/block/DISK/queue/scheduler]
    `);
  });
});
