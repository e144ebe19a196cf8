import { readdirSync, readlinkSync } from 'node:fs';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { identifyProcess } from '../kernel/processes/process-identity.ts';
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
  return pidsInProc().filter((pid) => own !== undefined && namespaceOf(pid) === own);
}

/**
 * Host pids of all processes in a container's PID namespace, its init among them, and in those that it has made below. None when the
 * container has just ended.
 */
export function treeOfProcesses(parts: ContainerParts): number[] {
  const spaces = new Set([parts.run.pid, innerOf(parts)].flatMap((pid) => (pid && namespaceOf(pid)) || []));
  const found = pidsInProc().map((pid) => ({
    pid,
    parent: identifyProcess(pid)?.parent ?? 0,
    space: namespaceOf(pid) ?? '',
  }));
  const tree = new Set(found.filter(({ space }) => spaces.has(space)).map(({ pid }) => pid));
  // Whoever is PID 1 of a namespace has its parent, or after that's end init, outside of that.
  for (let size = -1; size !== tree.size; ) {
    size = tree.size;
    for (const { pid, parent } of found) if (tree.has(parent)) tree.add(pid);
  }
  return [...tree];
}

function innerOf(parts: ContainerParts): number | undefined {
  try {
    return innerPid(parts);
  } catch (error) {
    // It has just ended.
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

function pidsInProc(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Undefined for a process that has just gone, or that is none of ours to look at. */
function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}
