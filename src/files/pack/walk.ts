import { type BigIntStats, lstatSync, readdirSync, statfsSync } from 'node:fs';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { nameBytes } from '../tar/entry.ts';

/** `f_type` of file systems that are views of the kernel: procfs, sysfs, cgroup v1 and v2 (<linux/magic.h>). */
const KERNEL_VIEWS = new Set([0x9fa0, 0x62656572, 0x27e0eb, 0x63677270]);

/** A path and what lstat(2) says of it. */
export interface Found {
  readonly path: string;
  readonly stat: BigIntStats;
}

/** True for a path below /proc, /sys and the like. */
export function isKernelView(path: string): boolean {
  return KERNEL_VIEWS.has(statfsSync(nameBytes(path)).type);
}

/** Undefined when there is no such path. */
export function find(path: string): Found | undefined {
  try {
    return { path, stat: lstatSync(nameBytes(path), { bigint: true }) };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/**
 * A path and everything below it, names in the order of their bytes, each directory before what it holds. What vanishes
 * meanwhile is left out, and so is what the kernel shows below /proc and the like.
 */
export function* walk(start: Found): Iterable<Found> {
  yield start;
  if (!start.stat.isDirectory()) return;
  for (const name of namesIn(start.path)) {
    const found = find(`${start.path === '/' ? '' : start.path}/${name}`);
    if (found === undefined) continue;
    if (found.stat.dev !== start.stat.dev && found.stat.isDirectory() && isKernelView(found.path))
      yield found;
    else yield* walk(found);
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(nameBytes(directory), 'latin1').sort();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
