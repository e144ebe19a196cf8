import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../../files/remove-tree.ts';
import type { ContainerParts } from '../container-parts.ts';
import { keepPlace } from '../kept-place.ts';
import { startAgain } from '../restart.ts';
import { signalContainer } from '../stop.ts';
import type { SnapshotRecord } from './snapshot-record.ts';

const SIGKILL = 9;

/**
 * Gives a container, running or ended, another process tree on a snapshot: its processes are killed and what it has written is
 * dropped. Its id, name, address, published ports and network namespace stay.
 *
 * Result: removes what was dropped, which need not be waited for before the container is used.
 */
export async function restoreSnapshot(
  parts: ContainerParts,
  snapshot: SnapshotRecord,
): Promise<{ removeDropped: () => Promise<void> }> {
  const { engine, run, service } = parts;
  // Nothing of it is to be kept, so nobody has to be asked to end in order.
  const kept = run.exit === undefined ? keepPlace(parts) : undefined;
  if (run.exit === undefined) {
    run.supervision.ref();
    signalContainer(parts, SIGKILL);
    await run.exited;
  }
  let dropped: string | undefined;
  const { waitFor: _, ...again } = service?.again ?? {};
  await startAgain(parts, {
    kept,
    prepare: async (directory) => {
      const upper = join(directory, 'upper');
      dropped = join(directory, `dropped-${randomBytes(4).toString('hex')}`);
      renameSync(upper, dropped);
      mkdirSync(upper, { mode: 0o755 });
      return { image: snapshot.image, options: { ...parts.record.options, ...again } };
    },
  });
  return {
    removeDropped: async () => {
      if (dropped !== undefined) await removeTree(dropped, engine.rung.launcher);
    },
  };
}
