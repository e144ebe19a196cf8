import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../../files/remove-tree.ts';
import { debugLog } from '../../support/debug.ts';
import type { ContainerParts } from '../container-parts.ts';
import { placeOf } from '../kept-place.ts';
import { changeContainer } from '../pending-change.ts';
import { openRecordedImage } from '../recorded-image.ts';
import { startAgain } from '../restart.ts';
import { DROPPED } from '../spares/adopt-directory.ts';
import { fits } from '../spares/fits.ts';
import { takeOver } from '../spares/take-over.ts';
import { signalContainer } from '../stop.ts';
import { replaceTree } from '../successors/replace-tree.ts';
import type { Succession } from '../successors/successor.ts';
import { expectSuccession } from '../successors/successors.ts';
import type { SnapshotRecord } from './snapshot-record.ts';

const debug = debugLog('restore');
const SIGKILL = 9;

/** What is left to do when a container has been restored. */
interface Restored {
  /** It was handed over ready; otherwise it has to be waited for. */
  readonly isReady: boolean;
  /** Removes what was dropped, which need not be waited for before the container is used. */
  readonly removeDropped: () => Promise<void>;
}

/**
 * Gives a container, running or ended, another process tree on a snapshot: its processes are killed and what it has written is
 * dropped. Its id, name, address and published ports stay; a spare of the snapshot takes its place, if one is ready.
 *
 * @throws MayflyError `container.layer-gone` before anything has been done to it
 */
export async function restoreSnapshot(parts: ContainerParts, snapshot: SnapshotRecord): Promise<Restored> {
  const { engine } = parts;
  const spare = engine.spares.get(snapshot.id)?.take((candidate) => fits(candidate.parts, parts));
  if (spare === undefined) {
    openRecordedImage(engine, snapshot.image);
    return restart(parts, snapshot);
  }
  try {
    takeOver(parts, spare);
  } catch (error) {
    debug('a spare could not take over: %s', error);
    await spare.stop({ timeout: 0 });
    return restart(parts, snapshot);
  }
  return { isReady: true, removeDropped: async () => {} };
}

/**
 * Makes ready, some milliseconds from now, what a container becomes when it is restored to a snapshot: one that has been is likely to
 * be again. Not where spares are.
 */
export function expectRestore(
  parts: ContainerParts,
  snapshot: SnapshotRecord,
  { after }: { after: number },
): void {
  if (parts.engine.spares.has(snapshot.id)) return;
  expectSuccession(parts, { ...successionOf(parts, snapshot), snapshotId: snapshot.id, after });
}

/** What a container becomes when it is restored to a snapshot. */
function successionOf({ record, service }: ContainerParts, { image }: SnapshotRecord): Succession {
  const { waitFor: _, ...again } = service?.again ?? {};
  return { image, options: { ...record.options, ...again } };
}

async function restart(parts: ContainerParts, snapshot: SnapshotRecord): Promise<Restored> {
  const { engine, run } = parts;
  const { home, rung } = engine;
  if (await replaceTree(parts, successionOf(parts, snapshot)))
    return { isReady: false, removeDropped: async () => {} };
  const directory = join(home.containers, parts.record.spec.id);
  // Nothing of it is to be kept, so nobody has to be asked to end in order.
  const kept = placeOf(parts, { lent: false });
  if (run.exit === undefined) {
    run.supervision.ref();
    signalContainer(parts, SIGKILL);
    await run.exited;
  }
  await startAgain(parts, {
    kept,
    prepare: (before) => {
      // Again, as somebody may have removed it meanwhile; from the next step on nobody can.
      openRecordedImage(engine, snapshot.image);
      const upperTo = join(directory, `${DROPPED}-${randomBytes(4).toString('hex')}`);
      return changeContainer(home, before, {
        ...successionOf({ ...parts, record: before }, snapshot),
        upperTo,
      });
    },
  });
  return {
    isReady: false,
    removeDropped: async () => {
      const dropped = readdirSync(directory).filter((name) => name.startsWith(`${DROPPED}-`));
      await Promise.all(dropped.map((name) => removeTree(join(directory, name), rung.launcher)));
    },
  };
}
