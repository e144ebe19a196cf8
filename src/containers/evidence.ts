import { isErrno } from '../kernel/ffi/system-error.ts';
import type { Evidence } from './container-error.ts';
import type { ContainerParts } from './container-parts.ts';
import type { LogLine } from './log-line.ts';
import { type LogsOptions, readLog } from './logs.ts';

const LAST_LINES = 50;

/** What the container has written, line by line; with `follow` until it ends. */
export function containerLogs({ record, run }: ContainerParts, options: LogsOptions = {}) {
  return readLog({ path: record.spec.log.path, ended: run.exited }, options);
}

/** What an error about the container says of it. */
export async function collectEvidence(parts: ContainerParts): Promise<Evidence> {
  const lastLines: LogLine[] = [];
  try {
    for await (const line of containerLogs(parts, { tail: LAST_LINES })) lastLines.push(line);
  } catch (error) {
    // Of a container that was stopped, the log has gone too.
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  return { name: parts.record.name, exit: parts.run.exit, lastLines };
}
