import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { findSnapshotName } from '../../containers/snapshots/snapshot-names.ts';
import {
  directoryOf,
  readSnapshot,
  type SnapshotRecord,
} from '../../containers/snapshots/snapshot-record.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import type { Home } from '../../support/home.ts';

const PREFIX = 'seed-';

/** What a seed's snapshot is called. */
export const seedName = (key: string): string => `${PREFIX}${key}`;

export const isSeedName = (name: string): boolean => /^seed-[0-9a-f]{40}$/.test(name);

/** The record's time of change says when the seed was used last. */
export const usedPath = (home: Home, id: string): string => join(directoryOf(home, id), 'snapshot.json');

/** The snapshot of a seed that has been made, which counts as used from then on. */
export function findSeed(home: Home, key: string): SnapshotRecord | undefined {
  const id = findSnapshotName(home, seedName(key));
  if (id === undefined) return undefined;
  // Before it is read: what was used just now is not pruned.
  try {
    utimesSync(usedPath(home, id), new Date(), new Date());
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  return readSnapshot(home, id);
}
