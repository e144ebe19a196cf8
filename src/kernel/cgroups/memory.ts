import { MayflyError } from '../../support/error.ts';
import type { Controller } from './controller.ts';

/** Docker's least: below it hardly any process starts (moby daemon/daemon_unix.go, linuxMinMemory). */
const LEAST = 6 << 20;

/** Hard limit in bytes. Swap may take as much again, which is Docker's default. */
export const memory: Controller<number> = {
  name: 'memory',
  check(bytes) {
    if (bytes >= LEAST) return;
    throw new MayflyError('cgroup.memory-too-small', `a memory limit of ${bytes} bytes is too small`, {
      hint: 'give at least 6m',
    });
  },
  v1: (bytes) => [
    { file: 'memory.limit_in_bytes', value: String(bytes) },
    // Memory and swap together; missing in kernels without swap accounting.
    { file: 'memory.memsw.limit_in_bytes', value: String(2 * bytes), optional: true },
  ],
  v2: (bytes) => [
    { file: 'memory.max', value: String(bytes) },
    { file: 'memory.swap.max', value: String(bytes), optional: true },
  ],
};

/** File of the memory controller that counts the processes killed for want of memory. */
export const OOM_FILES = { v1: 'memory.oom_control', v2: 'memory.events' } as const;

/** How many processes the kernel has killed, from either file's text (cgroup-v2.rst, cgroup-v1/memory.rst). */
export function countOomKills(text: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}
