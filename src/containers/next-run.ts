import type { Container } from './container.ts';
import type { ContainerParts } from './container-parts.ts';
import { noticeEndedConnections } from './ended-connections.ts';
import { announceRun } from './events.ts';
import { isPaused } from './pause.ts';
import { startAgain } from './restart.ts';
import { expectRestore, restoreSnapshot } from './snapshots/restore.ts';
import { Snapshot } from './snapshots/snapshot.ts';
import { type SnapshotOptions, takeSnapshot } from './snapshots/take-snapshot.ts';
import { openSpares } from './spares/spares.ts';
import { Stopwatch } from './timeline/stopwatch.ts';
import { keepTimeline } from './timeline/timeline.ts';

/** Milliseconds between a restore and the preparation of the next one: whoever waited for it is about to use the container. */
const REST = 100;

interface Abortable {
  readonly signal?: AbortSignal;
}

/** Does what `snapshot` says. */
export async function keepState<C extends Container>(
  container: C,
  options: SnapshotOptions & { name: string | undefined },
): Promise<Snapshot<C>> {
  const { parts } = container;
  // Who stands still is as he will be found, and answers nobody.
  if (!isPaused(parts)) await parts.service?.quiesce?.(container);
  const { run } = parts;
  const record = await takeSnapshot(parts, options);
  if (parts.run !== run) {
    announceRun(parts);
    await container.waitUntilReady(strategyOf(parts), options.signal);
  }
  const { engine, service, waitFor } = parts;
  const snapshot = new Snapshot<C>({ engine, record, service, waitFor });
  openSpares(snapshot.parts, options.spares ?? parts.record.options.spares ?? 0);
  if (parts.restored) expectRestore(parts, record, { after: 0 });
  return snapshot;
}

/** Does what `restore` says. */
export async function returnTo(
  container: Container,
  snapshot: Snapshot,
  { signal }: Abortable,
): Promise<void> {
  const { parts } = container;
  signal?.throwIfAborted();
  const { isReady, removeDropped } = await restoreSnapshot(parts, snapshot.parts.record);
  announceRun(parts);
  if (!isReady)
    await Promise.all([
      container.waitUntilReady(strategyOf(parts) ?? snapshot.parts.waitFor, signal),
      removeDropped(),
    ]);
  parts.restored = true;
  expectRestore(parts, snapshot.parts.record, { after: REST });
  await noticeEndedConnections();
}

/** Does what `start` says. */
export async function runAgain(container: Container, { signal }: Abortable): Promise<void> {
  const { parts } = container;
  if (parts.run.exit === undefined) return;
  const watch = new Stopwatch();
  await startAgain(parts);
  announceRun(parts);
  await container.waitUntilReady(parts.waitFor, signal);
  watch.take('ready');
  keepTimeline(parts.engine.home, parts.record, watch);
}

/** How it is told that a start on what it has written is ready. */
function strategyOf({ service, waitFor }: ContainerParts) {
  return service?.again?.waitFor ?? waitFor;
}
