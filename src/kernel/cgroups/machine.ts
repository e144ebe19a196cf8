import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Machine } from './controller.ts';
import { parseNumberList } from './number-list.ts';

const CPUS = '/sys/devices/system/cpu/online';
/** Missing in kernels without NUMA, whose only node is 0. */
const NODES = '/sys/devices/system/node/online';

/** This machine, read as each property is asked for: most starts need none of them. */
export function readMachine(ioCostFile = '/sys/fs/cgroup/io.cost.qos'): Machine {
  return {
    get cpus() {
      return parseNumberList(readFileSync(CPUS, 'latin1'));
    },
    get memoryNodes() {
      return existsSync(NODES) ? parseNumberList(readFileSync(NODES, 'latin1')) : new Set([0]);
    },
    get ioWeighing() {
      if (readSchedulers().some(([, scheduler]) => scheduler === 'bfq')) return 'bfq';
      // cgroup-v2.rst, "IO Interface Files": one line a disk, `8:16 enable=1 …`
      const ioCost = existsSync(ioCostFile) ? readFileSync(ioCostFile, 'latin1') : '';
      return /\benable=1\b/.test(ioCost) ? 'iocost' : undefined;
    },
    get schedulers() {
      return readSchedulers()
        .map(([disk, scheduler]) => `${disk}: ${scheduler}`)
        .join(', ');
    },
  };
}

/** The active scheduler of each disk is the one in brackets (block/queue-sysfs.rst). */
function readSchedulers(): [disk: string, scheduler: string][] {
  return readdirSync('/sys/block').flatMap((disk) => {
    const path = `/sys/block/${disk}/queue/scheduler`;
    const active = existsSync(path) && /\[([^\]]+)\]/.exec(readFileSync(path, 'latin1'))?.[1];
    return active && !/^(loop|ram|zram)/.test(disk) ? [[disk, active]] : [];
  });
}
