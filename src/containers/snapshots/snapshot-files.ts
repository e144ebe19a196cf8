import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { openTemporary, sweepTemporary } from '../../files/temporary.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { isRunning } from '../../kernel/processes/process-identity.ts';
import { listContainerIds } from '../../runtime/state/container-store.ts';
import { MayflyError } from '../../support/error.ts';
import type { Home } from '../../support/home.ts';
import { type ContainerRecord, readRecord } from '../container-record.ts';
import type { Engine } from '../engine.ts';
import { SUCCESSOR_LABEL } from '../spares/spare-label.ts';
import { snapshotNames, sweepNewNames, unnameSnapshot } from './snapshot-names.ts';
import {
  directoryOf,
  readSnapshot,
  readSnapshots,
  type SnapshotRecord,
  snapshotIds,
  snapshotIn,
  treeOf,
  writeSnapshot,
} from './snapshot-record.ts';

/**
 * Makes a snapshot: `make` fills a directory with a tree `fs` and the record. It has its own name only when it is whole, so
 * whoever is killed before leaves nothing but what the next one sweeps.
 */
export async function makeSnapshot(
  { home, rung }: Engine,
  make: (directory: string) => Promise<SnapshotRecord>,
): Promise<SnapshotRecord> {
  await using temporary = await openTemporary(home.snapshots, rung.launcher);
  const staged = join(temporary.path, 'snapshot');
  mkdirSync(staged, { mode: 0o700 });
  const record = await make(staged);
  renameSync(staged, directoryOf(home, record.id));
  return record;
}

/**
 * Removes a snapshot. Removing twice is no error.
 *
 * @throws MayflyError `snapshot.in-use` while a container or another snapshot stands on it
 */
export async function removeSnapshot(engine: Engine, id: string): Promise<void> {
  const { home } = engine;
  const [user] = usersOf(home, id);
  if (user !== undefined) {
    throw new MayflyError('snapshot.in-use', `${user} stands on the snapshot ${id}`, {
      hint: 'remove that first',
    });
  }
  unnameSnapshot(home, id);
  await discard(engine, id);
}

/** Says that nobody needs a snapshot any longer but what stands on it, with which it goes. */
export async function disownSnapshot(engine: Engine, id: string): Promise<void> {
  const { home } = engine;
  const record = readSnapshot(home, id);
  if (record === undefined) return;
  writeSnapshot(directoryOf(home, id), { ...record, owner: undefined });
  await sweepSnapshots(engine);
}

/** Whether neither a container nor another snapshot stands on it. */
export const isUnused = ({ home }: Engine, id: string): boolean => usersOf(home, id).length === 0;

/**
 * Removes what nobody can want any longer: without a name, without an owner that runs, and nothing stands on it. And what was left
 * of snapshots by whoever was killed on the way to one.
 */
export async function sweepSnapshots(engine: Engine): Promise<void> {
  const { home, rung } = engine;
  await sweepTemporary(home.snapshots, rung.launcher);
  const isOwned = (record: SnapshotRecord | undefined) =>
    record?.owner !== undefined && isRunning(record.owner);
  sweepNewNames(home, (id) => isOwned(readSnapshot(home, id)));
  // Before the records of containers, which say first what they become.
  const begun = snapshotIds(home);
  if (begun.length === 0) return;
  const all = new Map(readSnapshots(home).map((record) => [record.id, record]));
  const names = snapshotNames(home);
  const kept = new Set<string>();
  const keep = (layers: readonly string[]) => {
    for (const id of layers.flatMap((entry) => snapshotIn(entry) ?? [])) kept.add(id);
  };
  for (const record of all.values()) if (names.has(record.id) || isOwned(record)) keep(record.image.layers);
  // Read after the snapshots: a container that starts on one that is about to go has its record by the time it needs it.
  for (const layers of layersOfContainers(home)) keep(layers);
  const whole = (id: string) => all.has(id) || readSnapshot(home, id) === undefined;
  for (const id of begun) if (!kept.has(id) && whole(id)) await discard(engine, id);
}

/** What containers stand on, and what they are about to stand on: a list each, bottom to top. */
function layersOfContainers(home: Home): (readonly string[])[] {
  return listContainerIds(home).flatMap((id) => {
    const record = readRecord(home, id);
    return record === undefined ? [] : [layersOf(record)];
  });
}

const layersOf = ({ image, change }: ContainerRecord) => [...image.layers, ...(change?.image.layers ?? [])];

/** What somebody may be restored to is not in use: such a restore is refused when it has gone. */
function usersOf(home: Home, id: string): string[] {
  const stands = (layers: readonly string[]) => layers.includes(treeOf(id));
  const containers = listContainerIds(home)
    .flatMap((container) => readRecord(home, container) ?? [])
    .filter((record) => record.options.labels?.[SUCCESSOR_LABEL] === undefined);
  return [
    ...containers.filter((record) => stands(layersOf(record))).map(({ name }) => `the container ${name}`),
    ...readSnapshots(home)
      .filter((other) => other.id !== id && stands(other.image.layers))
      .map((other) => `the snapshot ${other.id}`),
  ];
}

/** In one step out of sight; the files go when there is time. */
async function discard({ home, rung }: Engine, id: string): Promise<void> {
  await using temporary = await openTemporary(home.snapshots, rung.launcher);
  try {
    renameSync(directoryOf(home, id), join(temporary.path, 'removed'));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
