import { MayflyError } from '../../support/error.ts';
import type { Controller } from './controller.ts';
import type { Limits } from './limits.ts';

/** The most processes a 64-bit kernel can number (include/linux/threads.h, PID_MAX_LIMIT). */
const MOST = 4 << 20;

/** Processes and threads at once. */
export const pids: Controller = {
  name: 'pids',
  limits: ['pids'],
  check({ pids: count }) {
    if (typeof count !== 'number' || (Number.isInteger(count) && count >= 1 && count <= MOST)) return;
    throw new MayflyError('cgroup.pids-out-of-range', `cannot limit a container to ${count} processes`, {
      hint: `give a whole number from 1 to ${MOST}, or leave the limit out`,
    });
  },
  v1: settings,
  v2: settings,
};

function settings({ pids: count }: Limits) {
  return count === undefined ? [] : [{ file: 'pids.max', value: String(count ?? 'max') }];
}
