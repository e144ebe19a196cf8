import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerLauncher } from '../../files/launcher.ts';
import { removeTree } from '../../files/remove-tree.ts';
import { call } from '../../kernel/ffi/libc.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { type LockedFile, lockedFile, tryLock } from '../../kernel/processes/file-lock.ts';
import { deadlineIn, poll } from '../../support/deadline.ts';
import type { Home } from '../../support/home.ts';

const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
const LOCK_EX = 2;
const S_IFIFO = 0o010000;
/** The most that removing a directory should take, which is what others hold the lock of a dead container for. */
const LOCK_TIMEOUT = 60_000;
// O_TMPFILE | O_RDWR | O_CLOEXEC, <fcntl.h>
const O_TMPFILE = process.arch === 'arm64' ? 0o20040000 : 0o20200000;
const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;

/** The directory of one container, held by a lock: whose lock can be taken is dead. */
export interface ContainerDirectory {
  readonly id: string;
  readonly path: string;
  readonly lock: LockedFile;
}

/**
 * Makes the directory of a new container with what the rootfs needs in it.
 *
 * The lock file comes into being locked (an unnamed file is locked, then linked), so there is no instant at which a
 * sweep could take a container that is just being made for a dead one.
 */
export function createContainerDirectory(home: Home, id: string): ContainerDirectory {
  const lock = createLocked(home, id);
  const path = join(home.containers, id);
  try {
    for (const part of ['', 'upper', 'work', 'rootfs'])
      mkdirSync(join(path, part), { mode: part === 'upper' ? 0o755 : 0o700 });
    call('mknod', [AT_FDCWD, join(path, 'pulse'), S_IFIFO | 0o600, 0], `make the pulse of ${id}`);
    writeFileSync(toldPath(home, id), '', { mode: 0o600 });
  } catch (error) {
    rmSync(path, { recursive: true, force: true });
    rmSync(lockPath(home, id), { force: true });
    lock.release();
    throw error;
  }
  return { id, path, lock };
}

function createLocked(home: Home, id: string): LockedFile {
  const fd = openSync(home.containers, O_TMPFILE | O_RDWR | O_CLOEXEC, 0o600);
  try {
    call('flock', [fd, LOCK_EX], 'lock a new file');
    const name = lockPath(home, id);
    call('link', [AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, name, AT_SYMLINK_FOLLOW], `create ${name}`);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return lockedFile(fd);
}

/** Removes the directory and then the lock file: a sweep that dies in between leaves the lock to the next one. */
export async function removeContainerDirectory(
  home: Home,
  { id, launcher }: { id: string; launcher: WorkerLauncher },
): Promise<void> {
  await removeTree(join(home.containers, id), launcher);
  rmSync(lockPath(home, id), { force: true });
}

/** Ids of everything that has a lock file, alive or not. */
export function listContainerIds(home: Home): string[] {
  return readdirSync(home.containers)
    .filter((name) => name.endsWith('.lock'))
    .map((name) => name.slice(0, -'.lock'.length));
}

/** Takes the lock of a dead container; undefined while it lives, and when it has gone altogether. */
export function lockDead(home: Home, id: string): LockedFile | undefined {
  const lock = tryLockOf(home, id);
  return lock === 'alive' || lock === 'gone' ? undefined : lock;
}

/**
 * Takes the lock of a container whose shim is ending, or says that somebody else has removed it meanwhile.
 *
 * @throws MayflyError `wait.timeout`
 */
export function awaitDead(home: Home, id: string): Promise<LockedFile | 'gone'> {
  const attempt = () => {
    const lock = tryLockOf(home, id);
    return lock === 'alive' ? undefined : lock;
  };
  return poll(attempt, { deadline: deadlineIn(LOCK_TIMEOUT), what: `the lock of container ${id}` });
}

/** True while a shim (or the process that is starting one) holds the container. */
export function isAlive(home: Home, id: string): boolean {
  // Shared, so that two who look at once do not take each other for the shim.
  const lock = tryLockOf(home, id, { shared: true });
  if (typeof lock === 'object') lock.release();
  return lock === 'alive';
}

function tryLockOf(home: Home, id: string, { shared = false } = {}): LockedFile | 'alive' | 'gone' {
  try {
    return tryLock(lockPath(home, id), { create: false, shared }) ?? 'alive';
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 'gone';
    throw error;
  }
}

/** What is told of a container to whoever watches: a line of JSON each, appended by whichever process does something to it. */
export const toldPath = (home: Home, id: string): string => join(home.containers, id, 'told');

const lockPath = (home: Home, id: string) => join(home.containers, `${id}.lock`);
