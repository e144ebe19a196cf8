import { readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debugLog } from '../../support/debug.ts';
import { call } from '../ffi/libc.ts';
import { isErrno } from '../ffi/system-error.ts';

const SIGKILL = 9;

const debug = debugLog('cgroup');

/** True when the directory is gone. Otherwise what is inside has been killed, and the caller tries again soon. */
export function removeTree(directory: string): boolean {
  if (removeEmpty([directory])) return true;
  killAll(directory);
  // A container with a writable cgroup file system may have made cgroups of its own.
  for (const child of childrenOf(directory)) removeTree(child);
  return removeEmpty([directory]);
}

/** Removes the directories that nobody is in; true when none is left. */
export function removeEmpty(directories: readonly string[]): boolean {
  let gone = true;
  for (const directory of directories) {
    try {
      rmdirSync(directory);
    } catch (error) {
      if (isErrno(error, 'EBUSY', 'ENOTEMPTY')) gone = false;
      else if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
  return gone;
}

function killAll(directory: string): void {
  debug('%s is busy: killing what is inside', directory);
  const kill = join(directory, 'cgroup.kill');
  const killed = unlessGone(() => {
    // Without O_CREAT, to which v1, lacking the file, would answer EACCES. v2 has it since Linux 5.14.
    writeFileSync(kill, '1', { flag: 'r+' });
    return true;
  });
  if (killed) return;
  const pids = unlessGone(() => readFileSync(join(directory, 'cgroup.procs'), 'latin1')) ?? '';
  for (const pid of pids.split('\n').map(Number)) killPid(pid);
}

function childrenOf(directory: string): string[] {
  const entries = unlessGone(() => readdirSync(directory, { withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name));
}

function killPid(pid: number): void {
  // 0 stands for a process outside this PID namespace, and would mean our own process group.
  if (pid <= 0) return;
  try {
    call('kill', [pid, SIGKILL], `kill process ${pid}`);
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

/** A cgroup may vanish under us: its own shim removes it, too. */
function unlessGone<T>(task: () => T): T | undefined {
  try {
    return task();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return undefined;
    throw error;
  }
}
