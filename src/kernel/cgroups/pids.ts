import { MayflyError } from '../../support/error.ts';
import type { Controller } from './controller.ts';

/** The most processes a 64-bit kernel can number (include/linux/threads.h, PID_MAX_LIMIT). */
const MOST = 4 << 20;

/** Processes and threads at once. */
export const pids: Controller<number> = {
  name: 'pids',
  check(count) {
    if (Number.isInteger(count) && count >= 1 && count <= MOST) return;
    throw new MayflyError('cgroup.pids-out-of-range', `cannot limit a container to ${count} processes`, {
      hint: `give a whole number from 1 to ${MOST}, or leave the limit out`,
    });
  },
  v1: (count) => [{ file: 'pids.max', value: String(count) }],
  v2: (count) => [{ file: 'pids.max', value: String(count) }],
};
