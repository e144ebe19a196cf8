import { MayflyError } from '../../support/error.ts';
import type { Controller, Setting } from './controller.ts';
import { WEIGHT_RANGE, weightToShares } from './cpu-weight.ts';

/** Microseconds, the kernel's own default period. */
const PERIOD = 100_000;
/** The kernel's least quota is a millisecond (kernel/sched/core.c, min_cfs_quota_period). */
const LEAST = 0.01;

/** CPUs' worth of time in every tenth of a second, and a share of what several want at once. */
export const cpu: Controller = {
  name: 'cpu',
  limits: ['cpus', 'cpuWeight'],
  check({ cpus, cpuWeight }, machine) {
    const { size } = typeof cpus === 'number' ? machine.cpus : { size: 0 };
    if (typeof cpus === 'number' && !(cpus >= LEAST && cpus <= size)) {
      throw new MayflyError('cgroup.cpus-out-of-range', `cannot give ${cpus} CPUs`, {
        hint: `this machine has ${size}; the least is ${LEAST}`,
      });
    }
    const [least, most] = WEIGHT_RANGE;
    if (typeof cpuWeight === 'number' && !(cpuWeight >= least && cpuWeight <= most)) {
      throw new MayflyError('cgroup.cpu-weight-out-of-range', `cannot weigh CPU time with ${cpuWeight}`, {
        hint: `give a whole number from ${least} to ${most}; the default is 100`,
      });
    }
  },
  v1({ cpus, cpuWeight }) {
    const settings: Setting[] = [];
    if (cpus !== undefined) {
      settings.push(
        { file: 'cpu.cfs_period_us', value: String(PERIOD) },
        { file: 'cpu.cfs_quota_us', value: cpus === null ? '-1' : quota(cpus) },
      );
    }
    if (cpuWeight !== undefined)
      settings.push({ file: 'cpu.shares', value: String(weightToShares(cpuWeight ?? 100)) });
    return settings;
  },
  v2({ cpus, cpuWeight }) {
    const settings: Setting[] = [];
    if (cpus !== undefined)
      settings.push({ file: 'cpu.max', value: `${cpus === null ? 'max' : quota(cpus)} ${PERIOD}` });
    if (cpuWeight !== undefined) settings.push({ file: 'cpu.weight', value: String(cpuWeight ?? 100) });
    return settings;
  },
};

const quota = (cpus: number) => String(Math.round(cpus * PERIOD));
