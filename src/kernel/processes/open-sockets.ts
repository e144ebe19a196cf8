import { readdirSync, readlinkSync } from 'node:fs';
import { isErrno } from '../ffi/system-error.ts';

/** Inodes of the sockets that these processes have open. What has ended has none. */
export function openSockets(pids: readonly number[]): Set<number> {
  const found = new Set<number>();
  for (const pid of pids)
    for (const target of openFiles(pid)) {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(target) ?? [];
      if (inode !== undefined) found.add(Number(inode));
    }
  return found;
}

/** What the descriptors of a process lead to (proc_pid_fd(5)). */
function openFiles(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  try {
    return readdirSync(directory).map((fd) => readlinkSync(`${directory}/${fd}`));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return [];
    throw error;
  }
}
