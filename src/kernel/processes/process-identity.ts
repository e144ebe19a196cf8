import { readFileSync } from 'node:fs';
import { isErrno } from '../ffi/system-error.ts';

/** Names one process for ever: a pid is given again, but never with the same start time. */
export interface ProcessIdentity {
  readonly pid: number;
  /** In clock ticks since the machine's start. */
  readonly startTime: number;
}

/** From include/linux/sched.h: it is getting shut down. */
const PF_EXITING = 0x4;

/** What the kernel says of a process; undefined when there is none with this pid, or only what is left of one. */
export function identifyProcess(pid: number): (ProcessIdentity & { readonly parent: number }) | undefined {
  const stat = readStat(pid);
  if (stat === undefined || stat.state === 'Z') return undefined;
  return { pid, parent: stat.parent, startTime: stat.startTime };
}

export function isRunning({ pid, startTime }: ProcessIdentity): boolean {
  return identifyProcess(pid)?.startTime === startTime;
}

/** Whether a process, or what is left of one, has this pid. */
export function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    if (isErrno(error, 'EPERM')) return true;
    throw error;
  }
}

/** Whether a process has ended or is about to: what it had may be gone already, while the kernel still counts it as alive. */
export function isEnding(pid: number): boolean {
  const stat = readStat(pid);
  return stat === undefined || stat.state === 'Z' || (stat.flags & PF_EXITING) !== 0;
}

function readStat(
  pid: number,
): { state: string; parent: number; flags: number; startTime: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // proc_pid_stat(5): state, ppid (4), ... flags (9), ... starttime (22), counted from behind the name, which may hold anything.
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(fields[0]), flags: Number(fields[5]), startTime: Number(fields[18]) };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
