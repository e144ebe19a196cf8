import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { type LockedFile, tryLock } from '../kernel/processes/file-lock.ts';
import type { WorkerLauncher } from './launcher.ts';
import { removeTree } from './remove-tree.ts';

/** A directory that is removed when it is disposed of, or by a later one when this process dies before. Mode 0700. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

/**
 * Makes a directory below `parent` under a name of its own. A lock tells the living from the dead: what was left by processes
 * that died is removed first.
 */
export async function openTemporary(parent: string, launcher?: WorkerLauncher): Promise<TemporaryDirectory> {
  await sweepTemporary(parent, launcher);
  const { path, lock } = claimTemporary(parent);
  mkdirSync(path, { mode: 0o700 });
  return {
    path,
    async [Symbol.asyncDispose]() {
      await removeTree(path, launcher);
      rmSync(`${path}.lock`, { force: true });
      lock.release();
    },
  };
}

/** A name that nobody else has, under a lock; a sweep may be faster than we are at the first one. */
function claimTemporary(parent: string): { path: string; lock: LockedFile } {
  for (;;) {
    const path = join(parent, `tmp-${randomBytes(8).toString('hex')}`);
    const lock = tryLock(`${path}.lock`);
    if (lock !== undefined) return { path, lock };
  }
}

/** Removes what dead processes have left of temporary directories below `parent`. */
export async function sweepTemporary(parent: string, launcher: WorkerLauncher | undefined): Promise<void> {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith('tmp-') || !name.endsWith('.lock')) continue;
    const path = join(parent, name);
    const lock = tryExisting(path);
    if (lock === undefined) continue;
    await removeTree(path.slice(0, -'.lock'.length), launcher);
    rmSync(path, { force: true });
    lock.release();
  }
}

function tryExisting(path: string): LockedFile | undefined {
  try {
    return tryLock(path, { create: false });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
