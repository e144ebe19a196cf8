import { sweepCgroups } from '../kernel/cgroups/cgroup.ts';
import { awaitDead, removeContainerDirectory } from '../runtime/state/container-store.ts';
import { type Duration, parseDuration } from '../support/duration.ts';
import { releaseAbandoned } from './abandoned.ts';
import type { ContainerParts } from './container-parts.ts';
import { type ContainerRecord, cgroupNames, readRecord, writeRecord } from './container-record.ts';
import type { Engine } from './engine.ts';
import { releaseIds } from './id-ranges.ts';
import { releaseName } from './names.ts';
import { wakeContainer } from './pause.ts';
import type { EndedRun } from './run.ts';
import { signalNumber } from './signals.ts';
import { sweepSnapshots } from './snapshots/snapshot-files.ts';
import { snapshotIn } from './snapshots/snapshot-record.ts';
import { forget } from './successors/successors.ts';
import { tell } from './told/tell.ts';

const SIGKILL = 9;
const DEFAULT_STOP_TIMEOUT: Duration = '10s';

/** Sends a signal. One that is to end a paused container wakes it, as in Docker: what stands still would never notice. */
export function signalContainer(parts: ContainerParts, signal: number): void {
  parts.run.supervision.signal(signal);
  if (signal === SIGKILL || signal === stopSignal(parts)) wakeContainer(parts);
}

/** The same for who has been asked to do so. Nothing happens when it has ended. */
export function killTold(parts: ContainerParts, signal: number): void {
  if (parts.run.exit !== undefined) return;
  tell(parts, { action: 'kill', attributes: { signal: String(signal) } });
  signalContainer(parts, signal);
}

/** Ends the container's processes and keeps its directory: the stop signal first, SIGKILL after `timeout`. */
export async function endContainer(parts: ContainerParts, timeout?: Duration): Promise<EndedRun> {
  const { record, run } = parts;
  const { supervision } = run;
  const limit = parseDuration(timeout ?? record.options.stopTimeout ?? DEFAULT_STOP_TIMEOUT);
  if (run.exit !== undefined) return run.exit;
  supervision.ref();
  killTold(parts, stopSignal(parts));
  const timer = setTimeout(() => killTold(parts, SIGKILL), limit);
  const exit = await run.exited;
  clearTimeout(timer);
  return exit;
}

function stopSignal({ record: { options, image } }: ContainerParts): number {
  return signalNumber(options.stopSignal ?? image.config.StopSignal ?? 'SIGTERM');
}

/** Gives back what a detached container that has ended no longer needs. Its directory stays. */
export async function settleContainer({ engine, record: { spec } }: ContainerParts): Promise<void> {
  const lock = await awaitDead(engine.home, spec.id);
  if (lock === 'gone') return;
  try {
    const record = readRecord(engine.home, spec.id);
    if (record !== undefined && record.released !== true) await giveBack(engine, record);
  } finally {
    lock.release();
  }
}

/** The same for who holds the container's lock. */
export async function giveBack(engine: Engine, record: ContainerRecord): Promise<void> {
  const { home, hierarchies, networks } = engine;
  const { id } = record.spec;
  await releaseAbandoned(record);
  await sweepCgroups(hierarchies, cgroupNames(record));
  networks.release(record.attachment, id);
  writeRecord(home, { ...record, released: true });
}

/**
 * Removes everything of a container that has ended. One process does it; others wait until it is done.
 *
 * @throws AggregateError of what could not be removed; it waits for the next sweep.
 */
export async function removeContainer({ engine, record, formerTrees }: ContainerParts): Promise<void> {
  const { home, hierarchies, networks, rung } = engine;
  const { name, spec, attachment } = record;
  await Promise.all([formerTrees?.clear(), forget(engine, spec.id)]);
  const lock = await awaitDead(home, spec.id);
  if (lock === 'gone') return;
  try {
    // As it is on disk: a run that failed to start may stand on something else.
    const { layers } = (readRecord(home, spec.id) ?? record).image;
    await releaseAbandoned(record);
    releaseName(home, { name, id: spec.id });
    if (spec.ids.kind === 'private') releaseIds(home, spec.id);
    // All of them, even when one fails. The directory goes last, because it is what the sweep finds the rest by.
    const results = await Promise.allSettled([
      sweepCgroups(hierarchies, cgroupNames(record)),
      Promise.resolve().then(() => networks.release(attachment, spec.id)),
    ]);
    results.push(
      ...(await Promise.allSettled([
        removeContainerDirectory(home, { id: spec.id, launcher: rung.launcher }),
      ])),
    );
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    // What only this one stood on.
    if (layers.some((entry) => snapshotIn(entry) !== undefined)) await sweepSnapshots(engine);
    if (failures.length > 0) throw new AggregateError(failures, `${name}: not everything could be removed`);
  } finally {
    lock.release();
  }
}
