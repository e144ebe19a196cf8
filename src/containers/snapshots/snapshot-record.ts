import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, writeJson } from '../../files/json-file.ts';
import type { LayerTree } from '../../images/layers/layer.ts';
import type { ProcessIdentity } from '../../kernel/processes/process-identity.ts';
import type { CopyMethod } from '../../runtime/launch/copy-tree.ts';
import { MayflyError } from '../../support/error.ts';
import type { Home } from '../../support/home.ts';
import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';
import type { RecordedImage, RecordedOptions } from '../container-record.ts';
import type { ServiceOrigin } from '../service.ts';

/**
 * How a snapshot's files got there: shared with the container's until either writes (`reflink`), copied, or the container's own,
 * which goes on with none (`seal`).
 */
export type SnapshotMethod = CopyMethod | 'seal';

/** What stands in `snapshot.json`, in the snapshot's directory, beside the tree `fs`: an overlay's upper. */
export interface SnapshotRecord {
  readonly version: typeof VERSION;
  /** 24 hexadecimal digits. */
  readonly id: string;
  /** ISO 8601, in UTC. */
  readonly createdAt: string;
  readonly method: SnapshotMethod;
  /** The process that took it, as long as it needs it; without a name it goes when that has ended. */
  readonly owner: ProcessIdentity | undefined;
  readonly container: { readonly id: string; readonly name: string };
  /** What a rootfs is made of that begins with it, its own tree on top. */
  readonly image: RecordedImage;
  /** How its container was started, and its copies are. */
  readonly options: RecordedOptions;
  /** The service in its container; default: none is known. */
  readonly service?: ServiceOrigin | undefined;
}

export const VERSION = 1;
const SCHEME = 'snapshot:';

const schema = lazy(() => z.looseObject({ version: z.literal(VERSION), id: z.string(), method: z.string() }));

/** What stands for a snapshot's tree in a list of layers. */
export const treeOf = (id: string): string => `${SCHEME}${id}`;

/** The id of the snapshot that an entry in a list of layers stands for; undefined for a layer. */
export const snapshotIn = (entry: string): string | undefined =>
  entry.startsWith(SCHEME) ? entry.slice(SCHEME.length) : undefined;

export const directoryOf = (home: Home, id: string): string => join(home.snapshots, id);

/** Writes the record of a snapshot into its directory, by rename, so that a reader sees all of it. */
export function writeSnapshot(directory: string, record: SnapshotRecord): void {
  const path = join(directory, 'snapshot.json');
  writeJson(path, record);
}

/** Undefined when there is no such snapshot. @throws MayflyError `snapshot.unreadable-record` */
export function readSnapshot(home: Home, id: string): SnapshotRecord | undefined {
  const path = join(directoryOf(home, id), 'snapshot.json');
  const content = readJson(path);
  if (content === undefined) return undefined;
  const { data, error } = schema().safeParse(content);
  if (data !== undefined) return data as unknown as SnapshotRecord;
  throw new MayflyError('snapshot.unreadable-record', `${path} is not a record that this version can read`, {
    cause: error,
    hint: 'use the version of mayfly that took the snapshot',
  });
}

/** Every snapshot that is whole, in no order. */
export function readSnapshots(home: Home): SnapshotRecord[] {
  return snapshotIds(home).flatMap((id) => readSnapshot(home, id) ?? []);
}

/** Those of all that have a directory, whole or on the way. */
export function snapshotIds(home: Home): string[] {
  return readdirSync(home.snapshots).filter((name) => /^[0-9a-f]{24}$/.test(name));
}

/** The tree of a snapshot, by its entry in a list of layers. */
export function snapshotTree(home: Home, entry: string): LayerTree | undefined {
  const id = snapshotIn(entry);
  if (id === undefined) return undefined;
  const directory = join(directoryOf(home, id), 'fs');
  return existsSync(directory) ? { diffId: entry, directory } : undefined;
}
