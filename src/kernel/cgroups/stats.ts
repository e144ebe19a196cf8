import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../ffi/system-error.ts';
import { countOomKills, OOM_FILES } from './memory.ts';
import type { ControllerName, Places } from './places.ts';

/** What a container has used. A part is undefined where the host has no controller for it. */
export interface CgroupStats {
  readonly cpu: CpuStats | undefined;
  readonly memory: MemoryStats | undefined;
  readonly pids: PidsStats | undefined;
  readonly io: IoStats | undefined;
}

/** Milliseconds of CPU time, with fractions. */
export interface CpuStats {
  readonly total: number;
  readonly user: number;
  readonly system: number;
  /** Enforcement of the option cpus. Undefined where the cpu controller is not in force. */
  readonly throttling:
    | {
        /** Periods of 100 ms in which the container wanted to run. */
        readonly periods: number;
        /** Those in which it had to wait for the next. */
        readonly throttledPeriods: number;
        /** How long its processes have waited, in milliseconds, summed over CPUs. */
        readonly throttledTime: number;
      }
    | undefined;
}

/** Bytes; page cache included. */
export interface MemoryStats {
  readonly current: number;
  /** Undefined before Linux 5.19 on cgroup v2. */
  readonly peak: number | undefined;
  /** Undefined without a limit. */
  readonly limit: number | undefined;
  /** Page cache that the kernel would give up first; `docker stats` shows `current` without it. */
  readonly inactiveFile: number;
  /** Processes killed for want of memory. */
  readonly oomKills: number;
}

/** Processes and threads. */
export interface PidsStats {
  readonly current: number;
  readonly limit: number | undefined;
}

/** What went to and came from disks, not from the page cache. */
export interface IoStats {
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
}

/** A limit beyond any machine's memory is v1's way of saying none. */
const NO_LIMIT = 2 ** 60;
/** USER_HZ, in which cpuacct.stat counts: 100 on every architecture of ours (include/asm-generic/param.h). */
const TICK = 10;

/** Reads the counters of one container's cgroups (cgroup-v2.rst, cgroup-v1/). */
export function readStats(places: Places): CgroupStats {
  return { cpu: readCpu(places), memory: readMemory(places), pids: readPids(places), io: readIo(places) };
}

function readCpu(places: Places): CpuStats | undefined {
  const time = readCpuTime(places);
  if (time === undefined) return undefined;
  const read = reader(places, 'cpu');
  const stat = read?.('cpu.stat');
  if (stat === undefined || keyed(stat, 'nr_periods') === undefined)
    return { ...time, throttling: undefined };
  const v1Time = keyed(stat, 'throttled_time');
  return {
    ...time,
    throttling: {
      periods: keyed(stat, 'nr_periods')!,
      throttledPeriods: keyed(stat, 'nr_throttled') ?? 0,
      // v1 counts nanoseconds, v2 microseconds.
      throttledTime: v1Time === undefined ? (keyed(stat, 'throttled_usec') ?? 0) / 1e3 : v1Time / 1e6,
    },
  };
}

/** cgroup2 counts CPU time without any controller, from the container's birth. */
function readCpuTime(places: Places): Pick<CpuStats, 'total' | 'user' | 'system'> | undefined {
  const stat = places.unified && readIfThere(join(places.unified, 'cpu.stat'));
  if (stat) {
    const microseconds = (key: string) => (keyed(stat, key) ?? 0) / 1e3;
    return {
      total: microseconds('usage_usec'),
      user: microseconds('user_usec'),
      system: microseconds('system_usec'),
    };
  }
  const read = reader(places, 'cpuacct');
  const usage = read?.('cpuacct.usage');
  const split = read?.('cpuacct.stat');
  if (usage === undefined || split === undefined) return undefined;
  return {
    total: Number(usage) / 1e6,
    user: (keyed(split, 'user') ?? 0) * TICK,
    system: (keyed(split, 'system') ?? 0) * TICK,
  };
}

function readMemory(places: Places): MemoryStats | undefined {
  const read = reader(places, 'memory');
  const version = places.find('memory')?.version;
  if (read === undefined || version === undefined) return undefined;
  const v1 = version === 'v1';
  const current = read(v1 ? 'memory.usage_in_bytes' : 'memory.current');
  if (current === undefined) return undefined;
  return {
    current: Number(current),
    peak: numberOf(read(v1 ? 'memory.max_usage_in_bytes' : 'memory.peak')),
    limit: limitOf(read(v1 ? 'memory.limit_in_bytes' : 'memory.max')),
    inactiveFile: keyed(read('memory.stat') ?? '', v1 ? 'total_inactive_file' : 'inactive_file') ?? 0,
    oomKills: countOomKills(read(OOM_FILES[version]) ?? ''),
  };
}

function readPids(places: Places): PidsStats | undefined {
  const read = reader(places, 'pids');
  const current = numberOf(read?.('pids.current'));
  return current === undefined ? undefined : { current, limit: limitOf(read?.('pids.max')) };
}

function readIo(places: Places): IoStats | undefined {
  const read = reader(places, 'io');
  if (places.find('io')?.version === 'v2') {
    // `8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 …`
    const stat = read?.('io.stat');
    const sum = (key: string) => sumOf(stat ?? '', new RegExp(`\\b${key}=(\\d+)`, 'g'));
    if (stat === undefined) return undefined;
    return { readBytes: sum('rbytes'), writtenBytes: sum('wbytes'), reads: sum('rios'), writes: sum('wios') };
  }
  const bytes = read?.('blkio.throttle.io_service_bytes_recursive');
  const operations = read?.('blkio.throttle.io_serviced_recursive');
  if (bytes === undefined || operations === undefined) return undefined;
  return {
    readBytes: sumOf(bytes, / Read (\d+)$/gm),
    writtenBytes: sumOf(bytes, / Write (\d+)$/gm),
    reads: sumOf(operations, / Read (\d+)$/gm),
    writes: sumOf(operations, / Write (\d+)$/gm),
  };
}

/** Reads files of one controller; undefined for what is not there. */
function reader(places: Places, name: ControllerName): ((file: string) => string | undefined) | undefined {
  const directory = places.find(name)?.directory;
  return directory === undefined ? undefined : (file) => readIfThere(join(directory, file));
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}

/** The number after a key at the beginning of a line. */
function keyed(text: string, key: string): number | undefined {
  return numberOf(new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1]);
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function limitOf(text: string | undefined): number | undefined {
  const limit = Number(text);
  return Number.isFinite(limit) && limit < NO_LIMIT ? limit : undefined;
}

function sumOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((sum, [, digits]) => sum + Number(digits), 0);
}
