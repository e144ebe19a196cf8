import { statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, openEngine } from '../../containers/engine.ts';
import { isUnused, removeSnapshot } from '../../containers/snapshots/snapshot-files.ts';
import { snapshotNames } from '../../containers/snapshots/snapshot-names.ts';
import { directoryOf } from '../../containers/snapshots/snapshot-record.ts';
import { type ByteSize, parseByteSize } from '../../support/byte-size.ts';
import { type Duration, parseDuration } from '../../support/duration.ts';
import { isMayflyError } from '../../support/error.ts';
import { isSeedName, usedPath } from './kept-seed.ts';

export interface PruneSeedsOptions {
  /** Those that nobody has asked for in so long. Default: 14 days. */
  readonly olderThan?: Duration;
  /** Then those that were used longest ago, until the rest take no more than this. Default: 10 GiB. */
  readonly maxSize?: ByteSize;
}

const LONG = '336h';
const MUCH = '10g';

interface Seed {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly usedAt: number;
}

/**
 * Removes seeds that are old or take too much room, but none that a container or a snapshot stands on. Making a seed does it, too.
 *
 * Result: the ids of what was removed.
 */
export function pruneSeeds({ olderThan = LONG, maxSize = MUCH }: PruneSeedsOptions = {}): Promise<string[]> {
  const oldest = Date.now() - parseDuration(olderThan);
  return prune({ oldest, most: parseByteSize(maxSize), spared: Number.POSITIVE_INFINITY });
}

/** By the defaults, and none that somebody may be about to start on. */
export function pruneUnwantedSeeds(): Promise<string[]> {
  const now = Date.now();
  return prune({
    oldest: now - parseDuration(LONG),
    most: parseByteSize(MUCH),
    spared: now - parseDuration('10m'),
  });
}

async function prune({
  oldest,
  most,
  spared,
}: {
  oldest: number;
  most: number;
  spared: number;
}): Promise<string[]> {
  const engine = openEngine();
  const removed: string[] = [];
  let size = 0;
  for (const { id, usedAt } of seedsByUse(engine)) {
    size += await sizeOf(join(directoryOf(engine.home, id), 'fs'));
    const isWanted = usedAt >= oldest && size <= most;
    if (isWanted || usedAt >= spared) continue;
    if (await removeUnused(engine, id)) removed.push(id);
  }
  return removed;
}

/** Those that were used last come first. */
function seedsByUse({ home }: Engine): Seed[] {
  return [...snapshotNames(home)]
    .filter(([, name]) => isSeedName(name))
    .flatMap(([id]) => {
      const stats = statSync(usedPath(home, id), { throwIfNoEntry: false });
      return stats === undefined ? [] : [{ id, usedAt: stats.mtimeMs }];
    })
    .toSorted((a, b) => b.usedAt - a.usedAt);
}

async function removeUnused(engine: Engine, id: string): Promise<boolean> {
  if (!isUnused(engine, id)) return false;
  try {
    await removeSnapshot(engine, id);
    return true;
  } catch (error) {
    if (isMayflyError(error, 'snapshot.in-use')) return false;
    throw error;
  }
}

/** Bytes on disk of all files below a directory; 0 when it has gone. */
async function sizeOf(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async ({ parentPath, name }) => (await stat(join(parentPath, name)).catch(() => undefined))?.blocks);
  return 512 * (await Promise.all(sizes)).reduce<number>((sum, blocks = 0) => sum + blocks, 0);
}
