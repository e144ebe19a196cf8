import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { MayflyError } from '../../support/error.ts';
import type { ContainerParts } from '../container-parts.ts';
import { keepPlace } from '../kept-place.ts';
import { startAgain } from '../restart.ts';
import { endContainer } from '../stop.ts';
import { storageError, upperOf } from '../upper.ts';
import { makeSnapshot } from './snapshot-files.ts';
import { type SnapshotRecord, writeSnapshot } from './snapshot-record.ts';
import type { DescribeSnapshot } from './take-snapshot.ts';

/** What a process counts as that had to be killed. */
const KILLED = 137;

/**
 * Stops a container, makes what it has written the snapshot by renaming it, and starts the container again on top.
 *
 * @throws MayflyError `container.unclean-stop` when it had to be killed; it runs again then, on what it had
 */
export async function sealSnapshot(
  parts: ContainerParts,
  describe: DescribeSnapshot,
): Promise<SnapshotRecord> {
  const { name, spec } = parts.record;
  if (spec.rootfs.storage !== undefined) throw storageError(name);
  const kept = keepPlace(parts);
  const { exitCode } = await endContainer(parts);
  let sealed: SnapshotRecord | undefined;
  let failure: unknown;
  const prepare = async () => {
    try {
      if (exitCode === KILLED) throw uncleanStop(name);
      sealed = await renameUpper(parts, describe);
    } catch (error) {
      failure = error;
    }
    return sealed === undefined ? {} : { image: sealed.image };
  };
  await startAgain(parts, { kept, prepare });
  if (sealed === undefined) throw failure;
  return sealed;
}

async function renameUpper(parts: ContainerParts, describe: DescribeSnapshot): Promise<SnapshotRecord> {
  const upper = upperOf(parts);
  const record = await makeSnapshot(parts.engine, async (directory) => {
    const record = describe('seal');
    writeSnapshot(directory, record);
    // Last: from here on nothing can fail but the rename of the whole.
    renameSync(upper, join(directory, 'fs'));
    return record;
  });
  mkdirSync(upper, { mode: 0o755 });
  return record;
}

function uncleanStop(name: string): MayflyError {
  return new MayflyError(
    'container.unclean-stop',
    `${name} did not stop in time and was killed, so what it had written is not kept`,
    { hint: 'give it a longer stopTimeout, or take the snapshot with { method: "copy" }' },
  );
}
