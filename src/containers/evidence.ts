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
  for await (const line of containerLogs(parts, { tail: LAST_LINES })) lastLines.push(line);
  return { name: parts.record.name, exit: parts.run.exit, lastLines };
}
