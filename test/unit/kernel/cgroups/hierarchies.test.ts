import { describe, expect, test } from 'vitest';
import { parseHierarchies } from '../../../../src/kernel/cgroups/hierarchies.ts';
import { shownHierarchies } from '../../../../src/kernel/cgroups/shown.ts';

const OTHERS = `22 27 0:21 / /proc rw,relatime - proc proc rw
23 27 0:22 / /sys rw,relatime - sysfs sysfs rw
31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - tmpfs tmpfs rw,mode=755
`;

const V1 = `32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:10 - cgroup cgroup rw,seclabel,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,favordynmods,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/lib/a,name=systemd
`;

const V2 =
  '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n';

const HYBRID_V2 = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n';

describe('parseHierarchies', () => {
  test('on a v1 host each controller has its mount, and named hierarchies have none', () => {
    const { v1, v2 } = parseHierarchies(OTHERS + V1, () => '');
    expect(Object.fromEntries(v1)).toEqual({
      cpu: '/sys/fs/cgroup/cpu,cpuacct',
      cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
      memory: '/sys/fs/cgroup/memory',
      pids: '/sys/fs/cgroup/pids',
    });
    expect(v2).toBeUndefined();
  });

  test('on a v2 host the controllers are those of cgroup.controllers', () => {
    const { v1, v2 } = parseHierarchies(OTHERS + V2, (mount) => {
      expect(mount).toBe('/sys/fs/cgroup');
      return 'cpuset cpu io memory hugetlb pids rdma\n';
    });
    expect(v1.size).toBe(0);
    expect(v2?.mount).toBe('/sys/fs/cgroup');
    expect([...v2!.controllers]).toEqual(['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma']);
  });

  test('a hybrid host has both, cgroup2 without controllers', () => {
    const { v1, v2 } = parseHierarchies(OTHERS + V1 + HYBRID_V2, () => '\n');
    expect([...v1.keys()]).toEqual(['cpu', 'cpuacct', 'memory', 'pids']);
    expect(v2).toEqual({ mount: '/sys/fs/cgroup/unified', controllers: new Set() });
  });

  test('of two mounts of a hierarchy the first counts', () => {
    const second = V1.replaceAll('/sys/fs/cgroup', '/mnt') + HYBRID_V2.replace('/sys/fs/cgroup', '/mnt');
    expect(parseHierarchies(V1 + HYBRID_V2 + second, () => '')).toEqual(
      parseHierarchies(V1 + HYBRID_V2, () => ''),
    );
  });

  test('blanks in a mount point are escaped in mountinfo', () => {
    const { v2 } = parseHierarchies(V2.replace('/sys/fs/cgroup', '/mnt/my\\040cgroup'), () => '');
    expect(v2?.mount).toBe('/mnt/my cgroup');
  });

  test('a host without cgroups has neither', () => {
    expect(parseHierarchies(OTHERS, () => '')).toEqual({ v1: new Map(), v2: undefined });
  });
});

describe('shownHierarchies', () => {
  const shown = (mountinfo: string) =>
    shownHierarchies(parseHierarchies(mountinfo, () => '')).map(({ name, type, options }) => {
      return `${name || '.'} ${type} ${Object.keys(options).join()}`.trim();
    });

  test('a v1 hierarchy is shown under the names of its controllers', () => {
    expect(shown(V1)).toEqual(['cpu,cpuacct cgroup cpu,cpuacct', 'memory cgroup memory', 'pids cgroup pids']);
  });

  test('cgroup2 is all of /sys/fs/cgroup, or a directory of it beside v1', () => {
    expect(shown(V2)).toEqual(['. cgroup2']);
    expect(shown(V1 + HYBRID_V2).at(-1)).toBe('unified cgroup2');
  });
});
