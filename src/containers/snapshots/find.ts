import { type Duration, parseDuration } from '../../support/duration.ts';
import { MayflyError } from '../../support/error.ts';
import { openEngine } from '../engine.ts';
import { Snapshot } from './snapshot.ts';
import { isUnused, sweepSnapshots } from './snapshot-files.ts';
import { findSnapshotName, snapshotNames } from './snapshot-names.ts';
import { readSnapshots } from './snapshot-record.ts';

export interface PruneSnapshotsOptions {
  /** Those with a name as well that were taken longer ago than this. Default: none with a name. */
  readonly olderThan?: Duration;
}

/** All snapshots of this home, the newest first. @throws MayflyError `snapshot.unreadable-record` */
export async function listSnapshots(): Promise<Snapshot[]> {
  const engine = openEngine();
  return readSnapshots(engine.home)
    .toSorted((a, b) => b.createdAt.localeCompare(a.createdAt))
    .map((record) => new Snapshot({ engine, record }));
}

/**
 * A snapshot by its name, its id, or the beginning of its id that no other has, whichever process has taken it, without what a
 * preset knows of it.
 *
 * @throws MayflyError `snapshot.not-found`, `snapshot.ambiguous-id`, `snapshot.unreadable-record`
 */
export async function getSnapshot(nameOrId: string): Promise<Snapshot> {
  const engine = openEngine();
  const wanted = findSnapshotName(engine.home, nameOrId) ?? nameOrId;
  const found = readSnapshots(engine.home).filter(({ id }) => wanted !== '' && id.startsWith(wanted));
  if (found.length > 1) {
    throw new MayflyError(
      'snapshot.ambiguous-id',
      `${found.length} snapshots have an id that begins with ${nameOrId}`,
      {
        hint: 'give more digits',
      },
    );
  }
  if (found[0] === undefined) {
    throw new MayflyError('snapshot.not-found', `there is no snapshot ${JSON.stringify(nameOrId)}`, {
      hint: '`mayfly snapshot ls` lists those there are',
    });
  }
  return new Snapshot({ engine, record: found[0] });
}

/**
 * Removes snapshots that nobody can want any longer, and, by `olderThan`, those with a name that nothing stands on.
 *
 * Result: the ids of what was removed.
 */
export async function pruneSnapshots({ olderThan }: PruneSnapshotsOptions = {}): Promise<string[]> {
  const engine = openEngine();
  const before = readSnapshots(engine.home).map(({ id }) => id);
  await sweepSnapshots(engine);
  if (olderThan !== undefined) {
    const oldest = Date.now() - parseDuration(olderThan);
    const names = snapshotNames(engine.home);
    const old = (await listSnapshots()).filter(
      ({ createdAt, id }) => names.has(id) && createdAt.getTime() < oldest,
    );
    // The newest first, because it may stand on older ones.
    for (const snapshot of old) if (isUnused(engine, snapshot.id)) await snapshot.remove();
  }
  const left = new Set(readSnapshots(engine.home).map(({ id }) => id));
  return before.filter((id) => !left.has(id));
}
