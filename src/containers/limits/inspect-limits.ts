import type { HostConfig } from 'dockerode';
import { weightToShares } from '../../kernel/cgroups/cpu-weight.ts';
import type { IoRate, Limits } from '../../kernel/cgroups/limits.ts';
import { diskPath } from '../../kernel/devices/disk.ts';
import type { ContainerSpec } from '../../runtime/spec/container-spec.ts';

/** The limits in force, updates included, as Docker tells them: 0 for none, -1 for no end. */
export function inspectLimits({
  cgroup: { limits },
  devices,
}: Pick<ContainerSpec, 'cgroup' | 'devices'>): HostConfig {
  return {
    Memory: limits.memory ?? 0,
    MemorySwap: totalMemory(limits),
    MemoryReservation: limits.memoryReservation ?? 0,
    NanoCpus: Math.round((limits.cpus ?? 0) * 1e9),
    CpuShares: typeof limits.cpuWeight === 'number' ? weightToShares(limits.cpuWeight) : 0,
    CpusetCpus: limits.cpuset ?? '',
    CpusetMems: limits.cpusetMems ?? '',
    PidsLimit: limits.pids ?? 0,
    BlkioWeight: limits.ioWeight ?? 0,
    BlkioDeviceReadBps: rates(limits, 'readBps'),
    BlkioDeviceWriteBps: rates(limits, 'writeBps'),
    BlkioDeviceReadIOps: rates(limits, 'readIops'),
    BlkioDeviceWriteIOps: rates(limits, 'writeIops'),
    Devices: devices.map(({ host, path, access }) => ({
      PathOnHost: host,
      PathInContainer: path,
      CgroupPermissions: access,
    })),
  };
}

function totalMemory({ memory, memorySwap }: Limits): number {
  if (memorySwap === 'unlimited') return -1;
  return memorySwap ?? 2 * (memory ?? 0);
}

function rates({ ioRates = [] }: Limits, name: Exclude<keyof IoRate, 'disk'>) {
  return ioRates.flatMap((rate) => (rate[name] ? [{ Path: diskPath(rate.disk), Rate: rate[name] }] : []));
}
