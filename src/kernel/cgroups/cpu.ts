import { cpus as hostCpus } from 'node:os';
import { MayflyError } from '../../support/error.ts';
import type { Controller } from './controller.ts';

/** Microseconds, the kernel's own default period. */
const PERIOD = 100_000;
/** The kernel's least quota is a millisecond (kernel/sched/core.c, min_cfs_quota_period). */
const LEAST = 0.01;

/** CPUs' worth of time in every tenth of a second. */
export const cpu: Controller<number> = {
  name: 'cpu',
  check(cpus) {
    if (cpus >= LEAST && cpus <= hostCpus().length) return;
    throw new MayflyError('cgroup.cpus-out-of-range', `cannot give ${cpus} CPUs`, {
      hint: `this machine has ${hostCpus().length}; the least is ${LEAST}`,
    });
  },
  v1: (cpus) => [
    { file: 'cpu.cfs_period_us', value: String(PERIOD) },
    { file: 'cpu.cfs_quota_us', value: String(Math.round(cpus * PERIOD)) },
  ],
  v2: (cpus) => [{ file: 'cpu.max', value: `${Math.round(cpus * PERIOD)} ${PERIOD}` }],
};
