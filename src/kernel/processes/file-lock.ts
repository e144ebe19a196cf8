import { closeSync, openSync } from 'node:fs';
import { type Deadline, deadlineIn, poll } from '../../support/deadline.ts';
import { call } from '../ffi/libc.ts';
import { isErrno } from '../ffi/system-error.ts';

// flock(2) operations, from <sys/file.h>.
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

/** A flock(2). It belongs to the open file: children that inherit `fd` hold it too, after we close ours. */
export interface LockedFile extends Disposable {
  readonly fd: number;
  release(): void;
}

/**
 * Takes the lock on `path` (created when missing, by default), or returns undefined when somebody holds it. A shared one can
 * be held by many at once, but not beside an exclusive one. Default: exclusive.
 */
export function tryLock(path: string, { create = true, shared = false } = {}): LockedFile | undefined {
  const fd = openSync(path, create ? 'a+' : 'r+', 0o600);
  try {
    call('flock', [fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB], `lock ${path}`);
  } catch (error) {
    closeSync(fd);
    if (isErrno(error, 'EAGAIN')) return undefined;
    throw error;
  }
  return lockedFile(fd);
}

/** For a descriptor that has been locked. Releasing twice is no error. */
export function lockedFile(fd: number): LockedFile {
  let open = true;
  const release = () => {
    if (open) closeSync(fd);
    open = false;
  };
  return { fd, release, [Symbol.dispose]: release };
}

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default: ten minutes, because the holder may be building an image. */
  readonly deadline?: Deadline;
  /** See {@link tryLock}. Default: false. */
  readonly shared?: boolean;
}

/** Waits for the lock on `path`. @throws MayflyError `wait.timeout` when it is not had before the deadline. */
export function lockFile(path: string, options: LockOptions = {}): Promise<LockedFile> {
  const { signal, deadline = deadlineIn(600_000), shared = false } = options;
  return poll(() => tryLock(path, { shared }), { deadline, signal, what: `lock ${path}` });
}

/**
 * Runs `task` while holding the lock on `path`; a kernel lock, so it is free again the moment its holder dies.
 *
 * @throws MayflyError `wait.timeout` when the lock is not had before the deadline.
 */
export async function withFileLock<T>(
  path: string,
  task: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const lock = await lockFile(path, options);
  try {
    return await task();
  } finally {
    lock.release();
  }
}
