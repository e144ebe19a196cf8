import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inheritRoot } from '../files/inherit-root.ts';
import { moveTree } from '../files/move-tree.ts';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { lockDead } from '../runtime/state/container-store.ts';
import { withCleanup } from '../support/error.ts';
import type { Home } from '../support/home.ts';
import {
  type ContainerRecord,
  type RecordedImage,
  type RecordedOptions,
  readRecord,
  writeRecord,
} from './container-record.ts';
import type { Engine } from './engine.ts';
import { type SnapshotRecord, snapshotTree, writeSnapshot } from './snapshots/snapshot-record.ts';

/** Where containers are, and who may touch their files. */
type Place = Pick<Engine, 'home' | 'rung'>;

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

/** Begins to change a container whose lock the caller holds. Result: what is recorded of it, to be finished. @throws Error ENOSPC, EDQUOT */
export function changeContainer(home: Home, record: ContainerRecord, change: PendingChange): ContainerRecord {
  const pending = { ...record, change };
  writeRecord(home, pending);
  return pending;
}

/**
 * Finishes what was begun by the caller, who holds the container's lock. Result: what is recorded of it from then on. After a failure,
 * all is as it was. Nothing happens when nothing was begun.
 *
 * @throws Error ENOSPC, EDQUOT, EXDEV where something else is mounted on a directory of the home
 */
export async function completeChange(place: Place, record: ContainerRecord): Promise<ContainerRecord> {
  const { change, ...before } = record;
  if (change === undefined) return record;
  try {
    return await finishChange(place, record);
  } catch (error) {
    throw await withCleanup(error, () => undo(place, before, change));
  }
}

/** Finishes what a record says was begun; the caller holds the container's lock. Nothing happens when nothing was. */
export async function finishChange(place: Place, record: ContainerRecord): Promise<ContainerRecord> {
  const { home, rung } = place;
  const { change, ...rest } = record;
  if (change === undefined) return record;
  const { image, options, upperTo, snapshot } = change;
  const upper = join(home.containers, record.spec.id, 'upper');
  if (!existsSync(upperTo)) {
    makeDirectory(dirname(upperTo), 0o700);
    await moveTree({ from: upper, to: upperTo, launcher: rung.launcher });
  }
  makeDirectory(upper, 0o755);
  // Nothing has run since, so what it lies on says what it is, however often.
  const root = snapshotTree(home, image.layers.at(-1)!);
  if (root !== undefined) await inheritRoot({ from: root.directory, to: upper, launcher: rung.launcher });
  // The snapshot can be seen from here on, whole.
  if (snapshot !== undefined) writeSnapshot(dirname(upperTo), snapshot);
  const changed = { ...rest, image, options };
  writeRecord(home, changed);
  return changed;
}

/** Finishes what was begun with a container that has ended, unless somebody is at it. */
export async function settleChange(place: Place, id: string): Promise<void> {
  const { home } = place;
  if (readRecord(home, id)?.change === undefined) return;
  const lock = lockDead(home, id);
  if (lock === undefined) return;
  try {
    const record = readRecord(home, id);
    if (record !== undefined) await finishChange(place, record);
  } finally {
    lock.release();
  }
}

/** Whoever is killed in the middle of this leaves something to be finished, as before. */
async function undo(
  { home, rung }: Place,
  record: ContainerRecord,
  { upperTo, snapshot }: PendingChange,
): Promise<void> {
  if (existsSync(upperTo)) {
    const upper = join(home.containers, record.spec.id, 'upper');
    // Empty, if it is there: nothing has run since.
    rmSync(upper, { recursive: true, force: true });
    await moveTree({ from: upperTo, to: upper, launcher: rung.launcher });
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
