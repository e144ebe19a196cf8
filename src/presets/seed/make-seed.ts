import type { Container } from '../../containers/container.ts';
import type { Engine } from '../../containers/engine.ts';
import type { Snapshot } from '../../containers/snapshots/snapshot.ts';
import { nameSnapshot } from '../../containers/snapshots/snapshot-names.ts';
import type { SnapshotRecord } from '../../containers/snapshots/snapshot-record.ts';
import { isMayflyError } from '../../support/error.ts';
import { seedName } from './kept-seed.ts';
import { pruneUnwantedSeeds } from './prune-seeds.ts';
import type { SeedSource } from './seed-source.ts';

interface Making {
  readonly source: SeedSource;
  readonly key: string;
  readonly seed: (container: never) => unknown;
  readonly signal: AbortSignal | undefined;
}

/** Seeds a container and keeps what it has written. Whatever fails, or whoever is killed, leaves nothing that anybody finds. */
export async function makeSeed(
  engine: Engine,
  { source, key, seed, signal }: Making,
): Promise<SnapshotRecord> {
  await using container = await source.start();
  await seed(container as never);
  signal?.throwIfAborted();
  await using snapshot = await keep(container, { source, signal });
  // Last: until it has its name it goes with this process.
  nameSnapshot(engine.home, seedName(key), snapshot.id);
  await pruneUnwantedSeeds();
  return snapshot.parts.record;
}

/**
 * A service that has ended in order starts faster than one that has to look for what a crash has torn. Most programs that are no
 * services do not end when they are asked to, and have nothing to tear.
 */
async function keep(
  container: Container,
  { source, signal }: Pick<Making, 'source' | 'signal'>,
): Promise<Snapshot> {
  const signalled = signal === undefined ? {} : { signal };
  if (!source.endsInOrder) return container.snapshot(undefined, signalled);
  try {
    return await container.snapshot(undefined, { ...signalled, method: 'seal' });
  } catch (error) {
    if (!isMayflyError(error, 'container.unclean-stop')) throw error;
    // It runs again; what it has written is whole at any instant, or it could not be killed.
    return container.snapshot(undefined, signalled);
  }
}
