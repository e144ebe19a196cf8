/** What a container may take; a limit that is left out was never set, and null lifts one that was. */
export interface Limits {
  /** Bytes. */
  readonly memory?: number | null;
  /** Bytes of memory and swap together. Left out: twice `memory`, as Docker has it. */
  readonly memorySwap?: number | 'unlimited' | null;
  /** Bytes that are left alone while others can give some. */
  readonly memoryReservation?: number | null;
  /** CPUs' worth of time. */
  readonly cpus?: number | null;
  /** Share of CPU time among those who want more than there is, 1 to 10000; 100 is everybody's default. */
  readonly cpuWeight?: number | null;
  /** List of CPUs such as `0-2,4`. */
  readonly cpuset?: string | null;
  /** List of memory nodes. */
  readonly cpusetMems?: string | null;
  /** Processes and threads at once. */
  readonly pids?: number | null;
  /** Share of the disk's time, 1 to 1000; 100 is everybody's default. */
  readonly ioWeight?: number | null;
  readonly ioRates?: readonly IoRate[];
}

/** The most that may be read from or written to one disk in a second. */
export interface IoRate {
  /** `major:minor` of a whole disk. */
  readonly disk: string;
  readonly readBps?: number;
  readonly writeBps?: number;
  readonly readIops?: number;
  readonly writeIops?: number;
}

/** Limits after some of them were changed; rates are changed one by one, disk by disk. */
export function mergeLimits(before: Limits, changes: Limits): Limits {
  const rates = new Map((before.ioRates ?? []).map((rate) => [rate.disk, rate]));
  for (const rate of changes.ioRates ?? []) rates.set(rate.disk, { ...rates.get(rate.disk), ...rate });
  return { ...before, ...changes, ...(rates.size === 0 ? {} : { ioRates: [...rates.values()] }) };
}
