import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { stopProcesses } from '../runtime/launch/stop-processes.ts';
import { deadlineIn, type PollOptions, poll } from '../support/deadline.ts';
import { isMayflyError, MayflyError } from '../support/error.ts';
import type { ContainerParts } from './container-parts.ts';
import { treeOfProcesses } from './processes.ts';
import { requireRunning } from './running.ts';

/** As long as freezing may take. */
const TIMEOUT = 10_000;
/**
 * How long one attempt may take. A process that has called vfork(2) stands in the kernel until its child executes something, which a
 * child that has been stopped does not: the next attempt finds them elsewhere.
 */
const ATTEMPT = 500;

/**
 * Does something while all processes of a container are stopped by SIGSTOP, where there is no cgroup to freeze: for an ordinary user.
 * What the processes may notice is what signal(7) says under "Interruption of system calls ... by stop signals".
 *
 * @throws MayflyError `cgroup.cannot-freeze` when one is stopped already, which would go on with the others, or one has come to them
 * meanwhile; `wait.timeout` when one has not stopped after 10 seconds
 */
export async function stillBySignals<T>(parts: ContainerParts, work: () => Promise<T>): Promise<T> {
  const { engine, record, run } = parts;
  const deadline = deadlineIn(TIMEOUT);
  run.still = true;
  try {
    for (;;) {
      await requireRunning(parts, 'stopping its processes');
      if (treeOfProcesses(parts).some((pid) => pid !== run.pid && isIn(pid, /^T/))) throw unfit(parts);
      const stopped = await stopProcesses({ binary: engine.binary, init: run.pid, ids: record.spec.ids });
      const others = () => treeOfProcesses(parts).filter((pid) => pid !== run.pid && pid !== stopped.stopper);
      const allStopped = () => others().every((pid) => isIn(pid, STILL)) || undefined;
      const what = `the processes of ${record.name} to stop`;
      try {
        if (await isSoon(allStopped, { deadline: deadlineIn(ATTEMPT), what, last: deadline.expired() })) {
          const result = await work();
          if (!allStopped()) throw unfit(parts);
          return result;
        }
      } finally {
        await stopped.resume();
      }
    }
  } finally {
    run.still = false;
  }
}

/** @throws MayflyError `wait.timeout` for the last attempt */
async function isSoon(
  attempt: () => true | undefined,
  { last, ...options }: PollOptions & { last: boolean },
): Promise<boolean> {
  try {
    return await poll(attempt, options);
  } catch (error) {
    if (last || !isMayflyError(error, 'wait.timeout')) throw error;
    return false;
  }
}

/** Stopped, traced, or at its end (proc_pid_stat(5)). */
const STILL = /^[TtZX]/;

/** Whether all threads of a process are in one of the states. What has ended is still, and has not been stopped. */
function isIn(pid: number, states: RegExp): boolean {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/stat`);
    const stats = threads.map((path) => readFileSync(path, 'latin1'));
    return stats.every((stat) => states.test(stat.slice(stat.lastIndexOf(')') + 2)));
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ESRCH')) throw error;
    // A thread that has just ended says nothing of the others.
    return states === STILL && !existsSync(`/proc/${pid}`);
  }
}

function unfit({ record }: ContainerParts): MayflyError {
  return new MayflyError(
    'cgroup.cannot-freeze',
    `there is no cgroup to freeze ${record.name} by, and its processes cannot be stopped together`,
    { hint: 'try again when none of them is stopped; or take the snapshot with { method: "seal" }' },
  );
}
