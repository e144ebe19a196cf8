import { readdirSync, readlinkSync } from 'node:fs';
import type { ContainerParts } from './container-parts.ts';
import { innerPid } from './inner-process.ts';
import { requireRunning } from './running.ts';

/**
 * Host pids of a container's processes, those of its execs among them: all that are in its PID namespace.
 *
 * @throws ContainerError `container.exited`
 */
export async function containerPids(parts: ContainerParts): Promise<number[]> {
  await requireRunning(parts, 'listing its processes');
  const own = namespaceOf(innerPid(parts));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => own !== undefined && namespaceOf(pid) === own);
}

/** Undefined for a process that has just gone, or that is none of ours to look at. */
function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}
