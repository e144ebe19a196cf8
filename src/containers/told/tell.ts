import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { toldPath } from '../../runtime/state/container-store.ts';
import type { ContainerParts } from '../container-parts.ts';

/** What becomes of a container and leaves no other trace on disk. Docker's names (API 1.44, `GET /events`). */
export type ToldAction =
  | 'kill'
  | 'oom'
  | 'pause'
  | 'rename'
  | 'restart'
  | 'stop'
  | 'unpause'
  | 'update'
  | `exec_create: ${string}`
  | `exec_start: ${string}`
  | 'exec_die'
  | `health_status: ${'starting' | 'healthy' | 'unhealthy'}`;

/** One line of the file. */
export interface ToldLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Of the container. */
  readonly id: string;
  /** In which run, counted as `restarts` does. */
  readonly run: number;
  /** Whether that had ended. */
  readonly ended: boolean;
  readonly action: ToldAction;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Told {
  readonly action: ToldAction;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** What is told makes room for what comes after it: so many bytes a container. */
const MOST = 1 << 20;

/**
 * Has whoever watches this home know of something that is done to a container: one write, for which nobody waits.
 *
 * The file is never made here, only with its directory, so that nobody who removes that finds a new file in it.
 */
export function tell({ engine, record, run }: ContainerParts, ...told: readonly Told[]): void {
  const { id } = record.spec;
  const common = { at: Date.now(), id, run: record.restarts, ended: run.exit !== undefined };
  const lines = told.map(({ action, attributes = {} }) => JSON.stringify({ ...common, action, attributes }));
  try {
    append(toldPath(engine.home, id), `${lines.join('\n')}\n`);
  } catch (error) {
    // Nothing fails because nobody can be told of it: the container has gone, or there is no room.
    if (!isErrno(error, 'ENOENT', 'ENOSPC', 'EDQUOT')) throw error;
  }
}

function append(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND);
  try {
    if (fstatSync(fd).size > MOST) ftruncateSync(fd);
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}
