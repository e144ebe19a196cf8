import type { BigIntStats } from 'node:fs';
import type { LayerTree } from '../../images/layers/layer.ts';
import { LayersView } from '../../images/layers/layers-view.ts';
import { changesIn, type FileChange } from '../diff.ts';
import type { Engine } from '../engine.ts';
import { openRecordedImage } from '../recorded-image.ts';
import type { SnapshotRecord } from './snapshot-record.ts';

/** The container's own: they hold what the runtime has mounted, whatever the image has there. */
const MADE = /^\/(proc|sys|dev|etc\/(hosts|hostname|resolv\.conf))$/;

/** What a snapshot has otherwise than what its container stood on, by path. */
export async function diffSnapshot(engine: Engine, { image }: SnapshotRecord): Promise<FileChange[]> {
  const trees = openRecordedImage(engine, image).layers;
  const changes = await changesIn(engine, { tree: trees.at(-1)!.directory, below: trees.slice(0, -1) });
  return sorted(changes.filter(({ kind, path }) => kind !== 'added' || !MADE.test(path)));
}

/**
 * What one snapshot has otherwise than another, by path. Only what either has beyond what both stand on is looked at; a file counts as
 * changed when its kind, size, time, owner or mode is another.
 */
export async function diffSnapshots(
  engine: Engine,
  { from, to }: { from: SnapshotRecord; to: SnapshotRecord },
): Promise<FileChange[]> {
  const before = openRecordedImage(engine, from.image).layers;
  const after = openRecordedImage(engine, to.image).layers;
  const paths = new Set([
    ...(await ownPaths(engine, before, after)),
    ...(await ownPaths(engine, after, before)),
  ]);
  const [old, young] = [before, after].map((trees) => new LayersView(trees, engine.rung.opaque)) as [
    LayersView,
    LayersView,
  ];
  const changes: FileChange[] = [];
  for (const path of paths) {
    const [a, b] = [old.lstat(path), young.lstat(path)];
    if (a === undefined && b !== undefined) changes.push({ kind: 'added', path });
    if (a !== undefined && b === undefined) changes.push({ kind: 'deleted', path });
    if (a !== undefined && b !== undefined && describe(a) !== describe(b))
      changes.push({ kind: 'changed', path });
  }
  return sorted(changes);
}

/** Paths that trees name which `others` do not have. */
async function ownPaths(
  engine: Engine,
  trees: readonly LayerTree[],
  others: readonly LayerTree[],
): Promise<string[]> {
  const shared = new Set(others.map(({ diffId }) => diffId));
  const own = trees.filter(({ diffId }) => !shared.has(diffId));
  const changes = await Promise.all(
    own.map(({ directory }) => changesIn(engine, { tree: directory, below: [] })),
  );
  return changes.flat().map(({ path }) => path);
}

const describe = ({ mode, uid, gid, size, mtimeNs, rdev }: BigIntStats): string =>
  [mode, uid, gid, (mode & 0o170000n) === 0o040000n ? 0 : size, mtimeNs, rdev].join(' ');

const sorted = (changes: FileChange[]): FileChange[] =>
  changes.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
