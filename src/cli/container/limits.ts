import type { IoLimit, LimitOptions } from '../../containers/limits/limit-options.ts';
import type { OptionValues } from '../command.ts';
import type { CREATE_OPTIONS } from '../table/run-options.ts';
import { UsageError } from '../usage-error.ts';
import { splitPair, wholeNumber } from './pairs.ts';

type Given = Pick<
  OptionValues<typeof CREATE_OPTIONS>,
  | 'memory'
  | 'memorySwap'
  | 'memoryReservation'
  | 'cpus'
  | 'cpuShares'
  | 'cpuPeriod'
  | 'cpuQuota'
  | 'cpusetCpus'
  | 'cpusetMems'
  | 'pidsLimit'
  | 'blkioWeight'
  | 'deviceReadBps'
  | 'deviceWriteBps'
  | 'deviceReadIops'
  | 'deviceWriteIops'
>;

const DEFAULT_PERIOD = 100_000;

/** What the container may take. @throws UsageError */
export function limitOptions(given: Given): {
  readonly [K in keyof LimitOptions]: LimitOptions[K] | undefined;
} {
  const ioLimits = [
    ...given.deviceReadBps.map((text) => rateOf(text, 'readBps')),
    ...given.deviceWriteBps.map((text) => rateOf(text, 'writeBps')),
    ...given.deviceReadIops.map((text) => rateOf(text, 'readIops')),
    ...given.deviceWriteIops.map((text) => rateOf(text, 'writeIops')),
  ];
  return {
    memory: given.memory,
    memorySwap: given.memorySwap === '-1' ? 'unlimited' : given.memorySwap,
    memoryReservation: given.memoryReservation,
    cpus: cpusOf(given),
    cpuShares: given.cpuShares,
    cpuset: given.cpusetCpus,
    cpusetMems: given.cpusetMems,
    // Docker's way of saying that there is none.
    pids: given.pidsLimit === 0 ? undefined : given.pidsLimit,
    ioWeight: given.blkioWeight,
    ioLimits: ioLimits.length === 0 ? undefined : merged(ioLimits),
  };
}

function cpusOf({ cpus, cpuQuota, cpuPeriod = DEFAULT_PERIOD }: Given): number | undefined {
  if (cpuQuota === undefined) return cpus === undefined ? undefined : Number(cpus);
  if (cpus !== undefined)
    throw new UsageError('--cpus and --cpu-quota exclude each other', 'leave one of them out');
  return cpuQuota / cpuPeriod;
}

/** `/dev/sda:10m` */
function rateOf(text: string, name: keyof IoLimit): IoLimit & { device: string } {
  const [device, rate] = splitPair(text, ':', { what: 'the rate of a device', form: '/dev/sda:10m' });
  return { device, [name]: name.endsWith('Iops') ? wholeNumber(rate, 'a rate') : rate };
}

/** One entry a device. */
function merged(limits: readonly (IoLimit & { device: string })[]): IoLimit[] {
  const byDevice = new Map<string, IoLimit>();
  for (const limit of limits) byDevice.set(limit.device, { ...byDevice.get(limit.device), ...limit });
  return [...byDevice.values()];
}
