import { MayflyError } from '../../support/error.ts';
import type { Controller, Setting, SettingContext } from './controller.ts';
import type { IoRate, Limits } from './limits.ts';

/** v1's files and v2's keys (cgroup-v1/blkio-controller.rst, cgroup-v2.rst "IO Interface Files"). */
const RATES = {
  readBps: { v1: 'blkio.throttle.read_bps_device', v2: 'rbps' },
  writeBps: { v1: 'blkio.throttle.write_bps_device', v2: 'wbps' },
  readIops: { v1: 'blkio.throttle.read_iops_device', v2: 'riops' },
  writeIops: { v1: 'blkio.throttle.write_iops_device', v2: 'wiops' },
} as const;
type Rate = keyof typeof RATES;
const RATE_NAMES = Object.keys(RATES) as Rate[];

/** What bfq takes (block/bfq-iosched.h, BFQ_MIN_WEIGHT and BFQ_MAX_WEIGHT); Docker's range lies within. */
const WEIGHT_RANGE = [1, 1000] as const;

/** A share of the disk's time, and how much may be read and written in a second. */
export const io: Controller = {
  name: 'io',
  limits: ['ioWeight', 'ioRates'],
  check({ ioWeight, ioRates = [] }, machine) {
    for (const rate of ioRates) checkRate(rate);
    if (typeof ioWeight !== 'number') return;
    const [least, most] = WEIGHT_RANGE;
    if (!(Number.isInteger(ioWeight) && ioWeight >= least && ioWeight <= most)) {
      throw new MayflyError('cgroup.io-weight-out-of-range', `cannot weigh I/O with ${ioWeight}`, {
        hint: `give a whole number from ${least} to ${most}; the default is 100`,
      });
    }
    if (machine.ioWeighing !== undefined) return;
    throw new MayflyError(
      'cgroup.io-weight-unavailable',
      `no disk of this machine shares its time out by weight (${machine.schedulers || 'none has a scheduler'})`,
      { hint: 'leave ioWeight out, or: echo bfq > /sys/block/DISK/queue/scheduler' },
    );
  },
  v1: ({ ioWeight, ioRates = [] }) => [
    ...(ioWeight === undefined ? [] : [{ file: 'blkio.bfq.weight', value: String(ioWeight ?? 100) }]),
    ...ioRates.flatMap((rate) =>
      given(rate).map((name) => ({ file: RATES[name].v1, value: `${rate.disk} ${rate[name]}` })),
    ),
  ],
  v2: ({ ioWeight, ioRates = [] }, context) => [
    ...(ioWeight === undefined ? [] : [weightOfV2(ioWeight ?? 100, context)]),
    ...ioRates.map((rate) => {
      const words = given(rate).map((name) => `${RATES[name].v2}=${rate[name] || 'max'}`);
      return { file: 'io.max', value: [rate.disk, ...words].join(' ') };
    }),
  ],
};

/**
 * The setting of v1 that has the kernel count what is read from and written to a disk: since Linux 6.10 it does so only
 * after a rate was spoken of, be it none (block/blk-throttle.c, blk_throtl_activated).
 */
export function countIo(disk: string, { ioRates = [] }: Limits): Setting[] {
  if (ioRates.some((rate) => rate.disk === disk)) return [];
  return [{ file: RATES.readBps.v1, value: `${disk} 0` }];
}

function given(rate: IoRate): Rate[] {
  return RATE_NAMES.filter((name) => rate[name] !== undefined);
}

/** 0 lifts a rate. */
function checkRate(rate: IoRate): void {
  for (const name of given(rate)) {
    const value = rate[name]!;
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw new MayflyError('cgroup.io-rate-invalid', `${name} of ${rate.disk} cannot be ${value}`, {
      hint: 'give a whole number of bytes or operations a second',
    });
  }
}

/** bfq weighs by a file of its own, io.cost by io.weight; 100 is the default of both (cgroup-v2.rst, "Weights"). */
function weightOfV2(weight: number, { machine }: SettingContext): Setting {
  return machine.ioWeighing === 'iocost'
    ? { file: 'io.weight', value: `default ${weight}` }
    : { file: 'io.bfq.weight', value: String(weight) };
}
