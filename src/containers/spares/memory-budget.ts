import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPlaces } from '../../kernel/cgroups/places.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import type { Container } from '../container.ts';

/** Of what the machine has to spare, so much may go to containers that stand still. */
const SHARE = 0.25;
const PAGE = 4096;
/** What a container takes before anything is known of its kind. */
const UNKNOWN = 64 << 20;

/** Whether there is memory for one more of these spares. */
export function fitsMemory(spares: readonly Container[]): boolean {
  const used = spares.map(residentBytes);
  const next = used.length === 0 ? UNKNOWN : Math.max(...used);
  const total = used.reduce((sum, bytes) => sum + bytes, next);
  return total <= SHARE * (availableMemory() + total - next);
}

/** Bytes that the machine can give without swapping (proc_meminfo(5), MemAvailable). */
function availableMemory(): number {
  const [, kilobytes] = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'latin1')) ?? [];
  return Number(kilobytes ?? 0) * 1024;
}

/** What its processes have in memory of their own; what they share counts once, with the largest. */
function residentBytes({ parts: { engine, record } }: Container): number {
  const { unified } = findPlaces(engine.hierarchies, record.spec.cgroup.name);
  if (unified === undefined) return UNKNOWN;
  const pids = readIfThere(join(unified, 'cgroup.procs')).split('\n').filter(Boolean);
  // proc_pid_statm(5): size, resident, shared, in pages.
  const sizes = pids.map((pid) => readIfThere(`/proc/${pid}/statm`).split(' ').map(Number));
  const shared = Math.max(0, ...sizes.map(([, , shared = 0]) => shared));
  return PAGE * sizes.reduce((sum, [, resident = 0, shared = 0]) => sum + resident - shared, shared);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'ENODEV')) return '';
    throw error;
  }
}
