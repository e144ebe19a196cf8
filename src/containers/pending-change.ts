import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { lockDead } from '../runtime/state/container-store.ts';
import type { Home } from '../support/home.ts';
import {
  type ContainerRecord,
  type RecordedImage,
  type RecordedOptions,
  readRecord,
  writeRecord,
} from './container-record.ts';
import { type SnapshotRecord, writeSnapshot } from './snapshots/snapshot-record.ts';

/**
 * What a container without processes is about to become: what it has written goes elsewhere, and it begins anew on something else.
 *
 * It is recorded before it begins. Of whoever is killed in the middle, the next one to hold the container's lock finishes it, so the
 * files are never anywhere that nobody knows of.
 */
export interface PendingChange {
  readonly image: RecordedImage;
  readonly options: RecordedOptions;
  /** Absolute path, at which nothing is yet, of what has been the container's upper. */
  readonly upperTo: string;
  /** The snapshot that the upper becomes; its directory is the one above `upperTo`. Default: none. */
  readonly snapshot?: SnapshotRecord;
}

/**
 * Changes a container whose lock the caller holds. Result: what is recorded of it from then on. After a failure, all is as it was.
 *
 * @throws Error ENOSPC, EDQUOT, EXDEV where something else is mounted on a directory of the home
 */
export function changeContainer(home: Home, record: ContainerRecord, change: PendingChange): ContainerRecord {
  const pending = { ...record, change };
  writeRecord(home, pending);
  try {
    return finishChange(home, pending);
  } catch (error) {
    undo(home, record, change);
    throw error;
  }
}

/** Finishes what a record says was begun; the caller holds the container's lock. Nothing happens when nothing was. */
export function finishChange(home: Home, record: ContainerRecord): ContainerRecord {
  const { change, ...rest } = record;
  if (change === undefined) return record;
  const { image, options, upperTo, snapshot } = change;
  const upper = join(home.containers, record.spec.id, 'upper');
  if (!existsSync(upperTo)) {
    makeDirectory(dirname(upperTo), 0o700);
    renameSync(upper, upperTo);
  }
  makeDirectory(upper, 0o755);
  // The snapshot can be seen from here on, whole.
  if (snapshot !== undefined) writeSnapshot(dirname(upperTo), snapshot);
  const changed = { ...rest, image, options };
  writeRecord(home, changed);
  return changed;
}

/** The record of a container that has ended, after what was begun with it has been finished, unless somebody is at it. */
export function settleChange(home: Home, record: ContainerRecord): ContainerRecord {
  if (record.change === undefined) return record;
  const lock = lockDead(home, record.spec.id);
  if (lock === undefined) return record;
  try {
    return finishChange(home, readRecord(home, record.spec.id) ?? record);
  } finally {
    lock.release();
  }
}

/** Whoever is killed in the middle of this leaves something to be finished, as before. */
function undo(home: Home, record: ContainerRecord, { upperTo, snapshot }: PendingChange): void {
  if (existsSync(upperTo)) {
    const upper = join(home.containers, record.spec.id, 'upper');
    // Empty, if it is there: nothing has run since.
    rmSync(upper, { recursive: true, force: true });
    renameSync(upperTo, upper);
  }
  writeRecord(home, record);
  if (snapshot !== undefined) rmSync(dirname(upperTo), { recursive: true, force: true });
}

function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}
