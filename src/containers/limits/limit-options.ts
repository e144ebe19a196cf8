import type { ByteSize } from '../../support/byte-size.ts';

/** What a container may take of the machine. Every limit can be changed while it runs, with `update`. */
export interface LimitOptions {
  /** Hard limit on memory: bytes or `'512m'`, at least 6 MiB. Default: none. */
  readonly memory?: ByteSize;
  /**
   * Memory and swap together, as in Docker; needs `memory`, and at least as much. The same as `memory`: no swap;
   * `'unlimited'`: as much swap as there is. Default: twice `memory`.
   *
   * `cgroup.unsupported` where the kernel does not account for swap.
   */
  readonly memorySwap?: ByteSize | 'unlimited';
  /** Memory that the kernel leaves alone while others can give some; at most `memory`. Default: none. */
  readonly memoryReservation?: ByteSize;
  /** CPUs' worth of time, from 0.01 to as many as the machine has, enforced in periods of 100 ms. Default: no limit. */
  readonly cpus?: number;
  /** Share of CPU time when several containers want it: 1 to 10000, where 100 is everybody's default. */
  readonly cpuWeight?: number;
  /** The same on Docker's scale: 2 to 262144, where 1024 is the default. Not together with `cpuWeight`. */
  readonly cpuShares?: number;
  /** CPUs to run on, such as `'0-2,4'`. Default: all. */
  readonly cpuset?: string;
  /** Memory nodes to allocate from, such as `'0'`. Default: all. */
  readonly cpusetMems?: string;
  /** Processes and threads at once. Default: no limit. */
  readonly pids?: number;
  /**
   * Share of a disk's time when several containers want it: 1 to 1000, where 100 is everybody's default.
   *
   * `cgroup.io-weight-unavailable` where no disk has a scheduler that minds it (bfq, or io.cost on cgroup v2).
   */
  readonly ioWeight?: number;
  /**
   * How fast a disk may be read and written. On cgroup v1 the kernel counts only what bypasses the page cache or is read
   * into it: buffered writes reach the disk in the kernel's name.
   */
  readonly ioLimits?: readonly IoLimit[];
}

/** Bytes (or `'10m'`) and operations a second; 0 lifts a rate. */
export interface IoLimit {
  /** A block device, or any path on one. Default: the disk that the container's own files lie on. */
  readonly device?: string;
  readonly readBps?: ByteSize;
  readonly writeBps?: ByteSize;
  readonly readIops?: number;
  readonly writeIops?: number;
}

/** Changes of limits: what is left out stays as it is, null lifts a limit. */
export type LimitChanges = { readonly [K in keyof LimitOptions]?: LimitOptions[K] | null };
