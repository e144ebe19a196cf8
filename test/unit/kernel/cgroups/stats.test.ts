import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Hierarchies } from '../../../../src/kernel/cgroups/hierarchies.ts';
import { findPlaces } from '../../../../src/kernel/cgroups/places.ts';
import { readStats } from '../../../../src/kernel/cgroups/stats.ts';

/** What kernels write, copied from them (6.1 with cgroup2 alone, 6.18 with v1). */
const V2_FILES = {
  'cpu.stat': `usage_usec 2500000
user_usec 2000000
system_usec 500000
nr_periods 40
nr_throttled 30
throttled_usec 1500500
nr_bursts 0
burst_usec 0
`,
  'memory.current': '12582912\n',
  'memory.peak': '33554432\n',
  'memory.max': '67108864\n',
  'memory.stat': 'anon 4096\nfile 8192\ninactive_file 8192\nactive_file 0\n',
  'memory.events': 'low 0\nhigh 0\nmax 31\noom 4\noom_kill 3\noom_group_kill 0\n',
  'pids.current': '7\n',
  'pids.max': 'max\n',
  'io.stat': `254:0 rbytes=1048576 wbytes=2097152 rios=10 wios=20 dbytes=5 dios=1
8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0
`,
};

const V1_FILES = {
  'cpu/cpu.stat': 'nr_periods 40\nnr_throttled 30\nthrottled_time 1500500000\n',
  'cpuacct/cpuacct.usage': '2500000000\n',
  'cpuacct/cpuacct.stat': 'user 200\nsystem 50\n',
  'memory/memory.usage_in_bytes': '12582912\n',
  'memory/memory.max_usage_in_bytes': '33554432\n',
  'memory/memory.limit_in_bytes': '9223372036854771712\n',
  'memory/memory.stat': 'cache 8192\ninactive_file 1\ntotal_inactive_file 8192\n',
  'memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n',
  'pids/pids.current': '7\n',
  'pids/pids.max': '50\n',
  'blkio/blkio.throttle.io_service_bytes_recursive':
    '254:0 Read 1048576\n254:0 Write 2097152\n254:0 Sync 3145728\n254:0 Discard 5\n254:0 Total 3145733\n8:16 Read 1\n8:16 Write 2\nTotal 3\n',
  'blkio/blkio.throttle.io_serviced_recursive': '254:0 Read 10\n254:0 Write 20\n8:16 Read 3\n8:16 Write 4\n',
};

describe('readStats', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mayfly-cgroups-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** Puts files where a container's cgroups would be. */
  function lay(files: Record<string, string>, place: (file: string) => string): void {
    for (const [file, text] of Object.entries(files)) {
      const path = place(file);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, text);
    }
  }

  const COMMON = {
    cpu: {
      total: 2500,
      user: 2000,
      system: 500,
      throttling: { periods: 40, throttledPeriods: 30, throttledTime: 1500.5 },
    },
    memory: { current: 12 << 20, peak: 32 << 20, inactiveFile: 8192, oomKills: 3 },
    io: { readBytes: (1 << 20) + 1, writtenBytes: (2 << 20) + 2, reads: 13, writes: 24 },
  };

  test('on v2', () => {
    lay(V2_FILES, (file) => join(root, 'mayfly/x1', file));
    const v2 = { mount: root, controllers: new Set(['cpu', 'memory', 'pids', 'io']) };
    expect(readStats(findPlaces({ v1: new Map(), v2 }, 'x1'))).toEqual({
      ...COMMON,
      memory: { ...COMMON.memory, limit: 64 << 20 },
      pids: { current: 7, limit: undefined },
    });
  });

  const onV1 = (v2: Hierarchies['v2']): Hierarchies => ({
    v1: new Map(['cpu', 'cpuacct', 'memory', 'pids', 'blkio'].map((name) => [name, join(root, name)])),
    v2,
  });

  test('on v1', () => {
    lay(V1_FILES, (file) => join(root, file.replace('/', '/mayfly/x1/')));
    expect(readStats(findPlaces(onV1(undefined), 'x1'))).toEqual({
      ...COMMON,
      memory: { ...COMMON.memory, limit: undefined },
      pids: { current: 7, limit: 50 },
    });
  });

  test('on a hybrid host, CPU time is cgroup2’s and the rest is v1’s; what is not joined is not told', () => {
    lay({ 'cpu.stat': 'usage_usec 1000\nuser_usec 750\nsystem_usec 250\nnice_usec 0\n' }, (file) =>
      join(root, 'unified/mayfly/x1', file),
    );
    const hierarchies = onV1({ mount: join(root, 'unified'), controllers: new Set() });
    expect(readStats(findPlaces(hierarchies, 'x1'))).toEqual({
      cpu: { total: 1, user: 0.75, system: 0.25, throttling: undefined },
      memory: undefined,
      pids: undefined,
      io: undefined,
    });
  });
});
