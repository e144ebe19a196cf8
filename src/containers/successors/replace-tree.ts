import type { LockedFile } from '../../kernel/processes/file-lock.ts';
import { awaitDead } from '../../runtime/state/container-store.ts';
import { withCleanup } from '../../support/error.ts';
import { releaseAbandoned } from '../abandoned.ts';
import type { ContainerParts } from '../container-parts.ts';
import { readRecord } from '../container-record.ts';
import { notFound } from '../not-found.ts';
import { become } from '../spares/become.ts';
import { killTree, leavePlace } from './leave-place.ts';
import { type Succession, Successor } from './successor.ts';
import { takeSuccessor } from './successors.ts';

/**
 * Gives a running container another process tree, with files of its own on another image; its name, id, network, published ports and
 * log stay. The new one has been made ready, or is now. Where both may be there at once the old one only stands still meanwhile, and
 * is taken away a little later.
 *
 * A failure leaves the container as it was, or ended, with the files that it had. Result: false, and nothing has been done, when it has
 * ended, or has ids of its own, which go by its directory.
 *
 * @throws MayflyError `container.not-found` when it has been removed meanwhile; as a start does
 */
export async function replaceTree(parts: ContainerParts, succession: Succession): Promise<boolean> {
  const { engine, run } = parts;
  const { id, ids } = parts.record.spec;
  if (run.exit !== undefined || ids.kind === 'private') return false;
  // Somebody else may have changed it.
  parts.record = readRecord(engine.home, id) ?? parts.record;
  let stands: boolean | undefined;
  const leave = async () => {
    stands = false;
    stands = await leavePlace(parts);
  };
  let successor = await takeSuccessor(parts, succession);
  try {
    if (successor !== undefined) await leave();
    successor ??= await Successor.prepare(parts, succession, leave);
    if (successor === undefined) return false;
    const startedAt = new Date().toISOString();
    const launched = await successor.begin({ beside: stands === true });
    using _lock = stands ? undefined : await ended(parts);
    const record = { ...launched.record, startedAt };
    become(parts, {
      parts: launched,
      record,
      options: succession.options,
    });
    successor.taken();
    return true;
  } catch (error) {
    throw await withCleanup(error, async () => {
      if (stands !== undefined) killTree(parts);
      await Promise.all([stands !== undefined && run.exited, successor?.close()]);
    });
  }
}

/** The lock of a container whose processes have been killed, once they are gone. @throws MayflyError `container.not-found` */
async function ended({ engine, record, run }: ContainerParts): Promise<LockedFile> {
  const { id } = record.spec;
  await run.exited;
  const lock = await awaitDead(engine.home, id);
  if (lock === 'gone') throw notFound(id);
  await releaseAbandoned(record);
  return lock;
}
