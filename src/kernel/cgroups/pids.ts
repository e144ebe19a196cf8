import type { Controller } from './controller.ts';

/** Processes and threads at once. */
export const pids: Controller<number> = {
  name: 'pids',
  check() {},
  v1: (count) => [{ file: 'pids.max', value: String(count) }],
  v2: (count) => [{ file: 'pids.max', value: String(count) }],
};
