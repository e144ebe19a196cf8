import { readFileSync } from 'node:fs';
import type { ContainerParts } from './container-parts.ts';

/** Host pid of a process that is in all of the container's namespaces; without our init, that is init's only child. */
export function innerPid({ record, run }: ContainerParts): number {
  return record.spec.init ? run.pid : onlyChild(run.pid);
}

/** @throws Error ENOENT when the process is gone */
function onlyChild(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ')[0]);
}
