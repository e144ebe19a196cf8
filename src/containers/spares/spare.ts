import { deadlineIn, poll } from '../../support/deadline.ts';
import { debugLog } from '../../support/debug.ts';
import type { Container } from '../container.ts';
import { expectRecord } from '../container-record.ts';
import { beginPause, isPaused } from '../pause.ts';
import { requireRunning } from '../running.ts';
import type { SnapshotParts } from '../snapshots/snapshot.ts';
import { startFromSnapshot } from '../snapshots/start-from-snapshot.ts';
import { SPARE_LABEL } from './spare-label.ts';

const debug = debugLog('spares');

/** A process in an uninterruptible system call stands still only when that is over. */
const STILL_TIMEOUT = 10_000;

/**
 * A copy of a snapshot, ready and warm. It ends with this process.
 *
 * @throws whatever a start throws, or the service's `warm`; then nothing is left of it
 */
export async function startSpare(snapshot: SnapshotParts): Promise<Container> {
  const { record, service } = snapshot;
  const spare = await startFromSnapshot(snapshot, {
    // Whatever it is a copy of.
    detached: false,
    labels: { ...record.options.labels, [SPARE_LABEL]: record.id },
  });
  try {
    await service?.warm?.(spare);
    await requireRunning(spare.parts, 'keeping it ready');
    expectRecord(spare.parts.engine.home, spare.id);
    return spare;
  } catch (error) {
    await endSpare(spare);
    throw error;
  }
}

/**
 * Resolves when it stands still, or is taken or ends before; where nothing can be frozen it runs on.
 *
 * @throws MayflyError `wait.timeout` after ten seconds
 */
export async function standStill(
  { parts }: Container,
  { isTaken }: { readonly isTaken: () => boolean },
): Promise<void> {
  if (!beginPause(parts)) return;
  const isOver = () => isPaused(parts) || parts.run.exit !== undefined || isTaken();
  const deadline = deadlineIn(STILL_TIMEOUT);
  await poll(() => isOver() || undefined, { deadline, what: `pausing ${parts.record.name}` });
}

/** Never rejects: whatever stays goes with this process. */
export async function endSpare(spare: Container): Promise<void> {
  try {
    await spare.stop({ timeout: 0 });
  } catch (error) {
    debug('a spare that is not needed is still there: %s', error);
  }
}
