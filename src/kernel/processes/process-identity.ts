import { readFileSync } from 'node:fs';
import { isErrno } from '../ffi/system-error.ts';

/** Names one process for ever: a pid is given again, but never with the same start time. */
export interface ProcessIdentity {
  readonly pid: number;
  /** In clock ticks since the machine's start. */
  readonly startTime: number;
}

/** What the kernel says of a process; undefined when there is none with this pid, or only what is left of one. */
export function identifyProcess(pid: number): (ProcessIdentity & { readonly parent: number }) | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // proc_pid_stat(5): state, ppid (field 4), ... starttime (field 22), counted from behind the name, which may hold anything.
    const [state, parent, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : { pid, parent: Number(parent), startTime: Number(fields[17]) };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

export function isRunning({ pid, startTime }: ProcessIdentity): boolean {
  return identifyProcess(pid)?.startTime === startTime;
}
