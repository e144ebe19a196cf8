import { awaitDead } from '../../runtime/state/container-store.ts';
import { withCleanup } from '../../support/error.ts';
import { releaseAbandoned } from '../abandoned.ts';
import type { ContainerParts } from '../container-parts.ts';
import { presentCgroups, readRecord } from '../container-record.ts';
import { endForwarder } from '../kept-place.ts';
import { formerLogOf } from '../logs.ts';
import { notFound } from '../not-found.ts';
import { adoptDirectory } from '../spares/adopt-directory.ts';
import { FormerTrees } from '../spares/former-trees.ts';
import { signalContainer } from '../stop.ts';
import { type Succession, Successor } from './successor.ts';
import { takeSuccessor } from './successors.ts';

const SIGKILL = 9;

/**
 * Kills the processes of a running container and gives it others, with files of their own on another image; its name, id, address,
 * published ports and log stay. The new ones have been made ready, or are while the kernel takes the old ones apart.
 *
 * A failure leaves the container ended, with the files that it had. Result: false, and nothing has been done, when it has ended, or has
 * ids of its own, which go by its directory.
 *
 * @throws MayflyError `container.not-found` when it has been removed meanwhile; as a start does
 */
export async function replaceTree(parts: ContainerParts, succession: Succession): Promise<boolean> {
  const { engine, run } = parts;
  const { home } = engine;
  const { id, ids } = parts.record.spec;
  if (run.exit !== undefined || ids.kind === 'private') return false;
  // Somebody else may have changed it.
  parts.record = readRecord(home, id) ?? parts.record;
  const ready = await takeSuccessor(parts, succession);
  if (ready !== undefined) kill(parts);
  const successor = ready ?? (await Successor.prepare(parts, succession, () => kill(parts)));
  if (successor === undefined) return false;
  try {
    const startedAt = new Date().toISOString();
    const launched = await successor.begin();
    await run.exited;
    const lock = await awaitDead(home, id);
    if (lock === 'gone') throw notFound(id);
    using _lock = lock;
    await releaseAbandoned(parts.record);
    become(parts, { launched, succession, startedAt });
    successor.taken();
  } catch (error) {
    throw await withCleanup(error, () => successor.close());
  }
  return true;
}

/** Nothing of it is to be kept, so nobody has to be asked to end in order. */
function kill(parts: ContainerParts): void {
  if (parts.record.published.length > 0) endForwarder(parts);
  parts.run.supervision.ref();
  signalContainer(parts, SIGKILL);
}

/** What was made ready is the container from here on. Its former files go a little later. */
function become(
  parts: ContainerParts,
  {
    launched,
    succession,
    startedAt,
  }: { launched: ContainerParts; succession: Succession; startedAt: string },
): void {
  const { engine, record, run } = parts;
  const adopted = adoptDirectory(engine.home, {
    container: { ...record, options: succession.options },
    spare: { ...launched.record, startedAt },
    formerCgroups: presentCgroups(engine.hierarchies, record),
    keep: ['log', formerLogOf('log')],
  });
  // Not before, because of one that outlived us nobody would know whose it is.
  if (record.spec.detached) launched.run.supervision.detach();
  // What looks after its health goes by these parts.
  launched.record = adopted;
  parts.record = adopted;
  parts.run = launched.run;
  parts.formerTrees ??= new FormerTrees(engine, record.spec.id);
  parts.formerTrees.add({ run });
}
