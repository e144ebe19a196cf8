import type { Container } from '../containers/container.ts';
import { openEngine } from '../containers/engine.ts';
import type { SnapshotStartOptions } from '../containers/snapshots/snapshot.ts';
import { findSnapshotName } from '../containers/snapshots/snapshot-names.ts';
import type { CommonOptions } from '../presets/preset.ts';
import { said } from './container/said.ts';
import type { Output } from './output.ts';
import { sayWhere } from './say-where.ts';

/** Whether `run NAME` means a snapshot: it is the name of one, and no image of the local store is called so. */
export function isSnapshot(name: string, { command, entrypoint, pull }: CommonOptions): boolean {
  if (command !== undefined || entrypoint !== undefined || pull === 'always') return false;
  const { home, images } = openEngine();
  return findSnapshotName(home, name) !== undefined && images.lookup(name) === undefined;
}

/** Starts a container from it, with the options of the snapshot's but for those that say something. */
export async function startSnapshot(
  name: string,
  { options, output }: { options: SnapshotStartOptions & CommonOptions; output: Output },
): Promise<Container> {
  const { getSnapshot } = await import('../presets/get-snapshot.ts');
  const snapshot = await getSnapshot(name);
  const { pull: _, platform: __, ...given } = options;
  const container = await snapshot.start(said(given));
  sayWhere(container, output);
  return container;
}
