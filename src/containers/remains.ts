import { isRunning } from '../kernel/processes/process-identity.ts';
import { KILLED, type ProcessExit } from '../runtime/launch/supervision.ts';
import { readRunRecord } from '../runtime/state/run-record.ts';
import type { ContainerRecord } from './container-record.ts';

/**
 * Whether a container that has ended is still somebody's: its log, its exit code and what it wrote can be asked for.
 *
 * A detached one is until it is removed, which `autoRemove` does at once. Another one is as long as the process lives that started it.
 */
export function isKept(record: ContainerRecord): boolean {
  if (isCreated(record)) return true;
  const { spec, options, launcher } = record;
  return hasStarted(record) && (spec.detached ? options.autoRemove !== true : isRunning(launcher));
}

/** True for what has been created and has not run yet. */
export function isCreated({ restarts }: Pick<ContainerRecord, 'restarts'>): boolean {
  return restarts < 0;
}

/** False for what was killed before its program had run. */
export function hasStarted({ restarts, spec }: ContainerRecord): boolean {
  return restarts > 0 || readRunRecord(spec.runRecord) !== undefined;
}

/** How the last run of a container that has ended came to its end. */
export function lastExit(record: ContainerRecord): ProcessExit {
  const { spec, startedAt } = record;
  if (isCreated(record)) return { exitCode: 0, report: Buffer.alloc(0), at: new Date(record.createdAt) };
  // Killed on the way to a new run, of which nothing has been written yet.
  const unknown = { exitCode: KILLED, report: Buffer.alloc(0), at: new Date(startedAt) };
  return readRunRecord(spec.runRecord)?.exit ?? unknown;
}
