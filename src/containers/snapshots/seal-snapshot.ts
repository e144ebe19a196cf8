import { join } from 'node:path';
import { MayflyError } from '../../support/error.ts';
import type { ContainerParts } from '../container-parts.ts';
import type { ContainerRecord } from '../container-record.ts';
import { keepPlace } from '../kept-place.ts';
import { changeContainer, completeChange } from '../pending-change.ts';
import { startAgain } from '../restart.ts';
import { endContainer } from '../stop.ts';
import { storageError } from '../upper.ts';
import { directoryOf, type SnapshotRecord } from './snapshot-record.ts';
import type { DescribeSnapshot } from './take-snapshot.ts';

/** What a process counts as that had to be killed. */
const KILLED = 137;

/**
 * Stops a container, makes what it has written the snapshot by renaming it, and starts the container again on top.
 *
 * @throws MayflyError `container.unclean-stop` when it had to be killed, Node's errors when the files could not be renamed; it runs
 * again then, on what it had
 */
export async function sealSnapshot(
  parts: ContainerParts,
  describe: DescribeSnapshot,
): Promise<SnapshotRecord> {
  const { engine, record } = parts;
  const { name, spec } = record;
  if (spec.rootfs.storage !== undefined) throw storageError(name);
  const kept = keepPlace(parts);
  const { exitCode } = await endContainer(parts);
  const snapshot = describe('seal');
  const { id, image } = snapshot;
  let failure: unknown;
  const prepare = async (before: ContainerRecord): Promise<ContainerRecord> => {
    try {
      if (exitCode === KILLED) throw uncleanStop(name);
      const upperTo = join(directoryOf(engine.home, id), 'fs');
      const change = { image, options: before.options, upperTo, snapshot };
      return await completeChange(engine, changeContainer(engine.home, before, change));
    } catch (error) {
      failure = error;
      return before;
    }
  };
  await startAgain(parts, { kept, prepare });
  if (failure !== undefined) throw failure;
  return snapshot;
}

function uncleanStop(name: string): MayflyError {
  return new MayflyError(
    'container.unclean-stop',
    `${name} did not stop in time and was killed, so what it had written is not kept`,
    { hint: 'give it a longer stopTimeout, or take the snapshot with { method: "copy" }' },
  );
}
