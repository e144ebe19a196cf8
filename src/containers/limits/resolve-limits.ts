import { sharesToWeight } from '../../kernel/cgroups/cpu-weight.ts';
import type { IoRate, Limits } from '../../kernel/cgroups/limits.ts';
import { findDisk } from '../../kernel/devices/disk.ts';
import { type ByteSize, parseByteSize } from '../../support/byte-size.ts';
import { MayflyError } from '../../support/error.ts';
import type { IoLimit, LimitChanges } from './limit-options.ts';

const UNLIMITED = 'unlimited' as const;

/**
 * Limits as the kernel has them: sizes in bytes, one scale for CPU weights, disks by number.
 *
 * @param own a path on the disk that the container's files lie on
 * @throws MayflyError `option.invalid` for cpuShares and cpuWeight at once; `cgroup.no-such-disk`
 */
export function resolveLimits(options: LimitChanges, own: string): Limits {
  const { cpus, cpuset, cpusetMems, pids, ioWeight } = options;
  return withoutUndefined({
    memory: inBytes(options.memory),
    memorySwap: options.memorySwap === 'unlimited' ? UNLIMITED : inBytes(options.memorySwap),
    memoryReservation: inBytes(options.memoryReservation),
    cpuWeight: resolveWeight(options),
    cpus,
    cpuset,
    cpusetMems,
    pids,
    ioWeight,
    ioRates: options.ioLimits?.map((limit) => resolveRate(limit, own)),
  });
}

function resolveWeight({ cpuShares, cpuWeight }: LimitChanges): number | null | undefined {
  if (typeof cpuShares === 'number' && typeof cpuWeight === 'number') {
    throw new MayflyError('option.invalid', 'cpuShares and cpuWeight say the same on two scales', {
      hint: 'give one of them',
    });
  }
  if (typeof cpuShares === 'number') return sharesToWeight(cpuShares);
  return cpuWeight ?? cpuShares ?? (cpuWeight === null ? null : undefined);
}

function resolveRate({ device, readBps, writeBps, readIops, writeIops }: IoLimit, own: string): IoRate {
  return withoutUndefined({
    disk: findDisk(device ?? own),
    readBps: inBytes(readBps) ?? undefined,
    writeBps: inBytes(writeBps) ?? undefined,
    readIops,
    writeIops,
  });
}

function inBytes(size: ByteSize | null | undefined): number | null | undefined {
  return typeof size === 'number' || typeof size === 'string' ? parseByteSize(size) : size;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** A limit that was not given is one that is not there: under exactOptionalPropertyTypes undefined is a value. */
function withoutUndefined<T extends object, R extends Defined<T>>(object: T): R {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as R;
}
