import { MayflyError } from '../../support/error.ts';
import type { Controller, Setting } from './controller.ts';
import type { Limits } from './limits.ts';

/** Docker's least: below it hardly any process starts (moby daemon/daemon_unix.go, linuxMinMemory). */
const LEAST = 6 << 20;

const NO_SWAP_ACCOUNTING = {
  message: 'this kernel does not account for swap, so memorySwap cannot be enforced',
  hint: 'leave memorySwap out, or boot with the kernel parameter swapaccount=1',
} as const;

/**
 * Hard limit, memory and swap together, reservation.
 *
 * Swap may take as much again as memory unless `memorySwap` says otherwise, which is Docker's default.
 */
export const memory: Controller = {
  name: 'memory',
  limits: ['memory', 'memorySwap', 'memoryReservation'],
  check({ memory, memorySwap, memoryReservation }) {
    if (typeof memory === 'number' && !(memory >= LEAST)) {
      throw new MayflyError('cgroup.memory-too-small', `a memory limit of ${memory} bytes is too small`, {
        hint: 'give at least 6m',
      });
    }
    if (memorySwap !== undefined && memorySwap !== null && typeof memory !== 'number') {
      throw new MayflyError('cgroup.memory-swap-invalid', 'memorySwap needs a limit of memory beside it', {
        hint: 'give memory too; memorySwap is memory and swap together',
      });
    }
    if (typeof memorySwap === 'number' && !(memorySwap >= memory!)) {
      throw new MayflyError(
        'cgroup.memory-swap-invalid',
        `memorySwap (${memorySwap} bytes) is less than memory (${memory} bytes)`,
        { hint: 'memorySwap is memory and swap together: give at least as much as memory' },
      );
    }
    if (typeof memoryReservation === 'number' && memoryReservation > (memory ?? Infinity)) {
      throw new MayflyError(
        'cgroup.memory-reservation-invalid',
        `memoryReservation (${memoryReservation} bytes) is more than memory (${memory} bytes)`,
        { hint: 'reserve at most what memory allows' },
      );
    }
  },
  v1(limits, { before }) {
    const total = totalOf(limits);
    const settings: Setting[] = [];
    if (total !== undefined) {
      const hard = { file: 'memory.limit_in_bytes', value: String(limits.memory ?? -1) };
      const swap = {
        file: 'memory.memsw.limit_in_bytes',
        value: total === Infinity ? '-1' : String(total),
        missing: missingSwap(limits),
      };
      // The kernel refuses, at any moment, more memory than memory and swap together (cgroup-v1/memory.rst, 2.4).
      const grows = total > (totalOf(before) ?? Infinity);
      settings.push(...(grows ? [swap, hard] : [hard, swap]));
    }
    const { memoryReservation } = limits;
    if (memoryReservation !== undefined)
      settings.push({ file: 'memory.soft_limit_in_bytes', value: String(memoryReservation ?? -1) });
    return settings;
  },
  v2(limits) {
    const total = totalOf(limits);
    const settings: Setting[] = [];
    if (total !== undefined) {
      // In v2, swap is counted by itself.
      const swap = total === Infinity ? 'max' : String(total - limits.memory!);
      settings.push(
        { file: 'memory.max', value: String(limits.memory ?? 'max') },
        { file: 'memory.swap.max', value: swap, missing: missingSwap(limits) },
      );
    }
    if (limits.memoryReservation !== undefined)
      settings.push({ file: 'memory.low', value: String(limits.memoryReservation ?? 0) });
    return settings;
  },
};

/** Memory and swap together; Infinity when there is no limit, undefined when none was ever spoken of. */
function totalOf({ memory, memorySwap }: Limits): number | undefined {
  if (memory === undefined) return undefined;
  if (memory === null || memorySwap === 'unlimited') return Infinity;
  return memorySwap ?? 2 * memory;
}

/** Nobody is harmed by a default that the kernel has no file for; what was asked for is another matter. */
function missingSwap({ memorySwap }: Limits): Setting['missing'] & {} {
  return memorySwap === undefined || memorySwap === null ? 'skip' : NO_SWAP_ACCOUNTING;
}

/** File of the memory controller that counts the processes killed for want of memory. */
export const OOM_FILES = { v1: 'memory.oom_control', v2: 'memory.events' } as const;

/** How many processes the kernel has killed, from either file's text (cgroup-v2.rst, cgroup-v1/memory.rst). */
export function countOomKills(text: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}
