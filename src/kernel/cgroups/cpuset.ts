import { MayflyError } from '../../support/error.ts';
import type { Controller } from './controller.ts';
import { parseNumberList } from './number-list.ts';

/** The CPUs that a container runs on and the memory nodes that it allocates from. */
export const cpuset: Controller = {
  name: 'cpuset',
  limits: ['cpuset', 'cpusetMems'],
  check(limits, machine) {
    if (typeof limits.cpuset === 'string') checkList('CPU', limits.cpuset, () => machine.cpus);
    if (typeof limits.cpusetMems === 'string')
      checkList('memory node', limits.cpusetMems, () => machine.memoryNodes);
  },
  // Lifted: the plan has copied what the parent has already.
  v1: ({ cpuset, cpusetMems }) => [
    ...(typeof cpuset === 'string' ? [{ file: 'cpuset.cpus', value: cpuset }] : []),
    ...(typeof cpusetMems === 'string' ? [{ file: 'cpuset.mems', value: cpusetMems }] : []),
  ],
  // Lifted: an empty line stands for what the parent has (cgroup-v2.rst, "Cpuset Interface Files").
  v2: ({ cpuset, cpusetMems }) => [
    ...(cpuset === undefined ? [] : [{ file: 'cpuset.cpus', value: cpuset ?? '\n' }]),
    ...(cpusetMems === undefined ? [] : [{ file: 'cpuset.mems', value: cpusetMems ?? '\n' }]),
  ],
};

function checkList(what: string, list: string, available: () => ReadonlySet<number>): void {
  const wanted = parseNumberList(list);
  const present = available();
  const lacking = [...wanted].filter((number) => !present.has(number));
  if (lacking.length === 0) return;
  throw new MayflyError('cgroup.cpuset-unavailable', `this machine has no ${what} ${lacking[0]}`, {
    hint: `it has ${[...present].join(', ')}`,
  });
}
