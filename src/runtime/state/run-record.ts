import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { exitCodeOf, KILLED, type ProcessExit } from '../launch/supervision.ts';

const PID_SIZE = 4;
const STATUS_SIZE = 4;

/** What a shim has written down of the run that it supervises; the format is described in shim/protocol.h. */
export interface RunRecord {
  /** Host pid of the container's init. */
  readonly pid: number;
  /** How the run ended. Means something only when the shim is gone; a shim that was killed has written none. */
  readonly exit: ProcessExit;
}

/** Undefined before the start, and when the directory is gone. */
export function readRunRecord(path: string): RunRecord | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    return readOpenRunRecord(fd);
  } finally {
    closeSync(fd);
  }
}

/** Whether the shim has written down how the run ended, which it does before everybody has taken the output. */
export function hasEnded(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && stats.size >= PID_SIZE + STATUS_SIZE;
}

/** The same from a descriptor, which outlives the file's name. */
export function readOpenRunRecord(fd: number): RunRecord | undefined {
  const { size, mtime } = fstatSync(fd);
  const bytes = Buffer.alloc(size);
  if (readSync(fd, bytes, 0, size, 0) < PID_SIZE) return undefined;
  const ended = size >= PID_SIZE + STATUS_SIZE;
  return {
    pid: bytes.readInt32LE(),
    exit: {
      exitCode: ended ? exitCodeOf(bytes.readInt32LE(PID_SIZE)) : KILLED,
      report: bytes.subarray(PID_SIZE + STATUS_SIZE),
      at: mtime,
    },
  };
}
