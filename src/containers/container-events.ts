import { readFileSync } from 'node:fs';
import { countOomKills } from '../kernel/cgroups/memory.ts';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { isAlive, listContainerIds } from '../runtime/state/container-store.ts';
import { hasEnded, readRunRecord } from '../runtime/state/run-record.ts';
import type { Home } from '../support/home.ts';
import { type ContainerRecord, readOwnRecord } from './container-record.ts';
import { type Engine, openEngine } from './engine.ts';
import { openContainer } from './open-container.ts';
import { isCreated, lastExit } from './remains.ts';
import { SPARE_LABEL } from './spares/spare-label.ts';
import type { ContainerEvent } from './told/container-event.ts';
import { HomeWatch } from './told/home-watch.ts';
import { type Known, whatHappened } from './told/sequence.ts';

export interface EventsOptions {
  /** Those since then, too, as far as their containers are still there. Default: only what happens from now on. */
  readonly since?: Date;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

/**
 * What happens to the containers of this home, in the order in which it is noticed. Most of it shows in what is on disk; of the rest
 * whoever does it writes a line into the container's directory. A spare is no container until somebody takes it.
 *
 * @throws MayflyError `container.unreadable-record`
 */
export async function* containerEvents({
  since,
  signal,
}: EventsOptions = {}): AsyncGenerator<ContainerEvent, void, void> {
  const engine = openEngine();
  using changes = new HomeWatch(engine.home, signal);
  const known = new Map<string, Known>();
  const first = look(engine, known, changes);
  if (since !== undefined) yield* first.filter(({ at }) => at >= since);
  while (!signal?.aborted) {
    await changes.next();
    if (!signal?.aborted) yield* look(engine, known, changes);
  }
}

/** Compares what is there with what is known. */
function look(engine: Engine, known: Map<string, Known>, changes: HomeWatch): ContainerEvent[] {
  const { home } = engine;
  const events: ContainerEvent[] = [];
  const ids = new Set(listContainerIds(home));
  for (const id of ids) {
    // Before its record is read, which is written a little later than the container appears.
    changes.add(id);
    const record = readOwnRecord(home, id);
    if (record === undefined || isSpare(record)) continue;
    const before = known.get(id);
    const now = { record, ...stateOf(home, { record, before }) };
    const { events: some, oomKills } = whatHappened(before, now, changes.told(id));
    events.push(...some);
    if (now.stage === 'running') changes.awaitEnd(record, () => openContainer(engine, id)?.run);
    known.set(id, { ...now, oomKills });
  }
  for (const [id, before] of known) {
    if (ids.has(id)) continue;
    known.delete(id);
    const gone = { stage: 'gone', record: before.record, exit: changes.exitOf(id) } as const;
    events.push(...whatHappened(before, gone, changes.told(id)).events);
  }
  changes.keep(ids);
  return events.toSorted((a, b) => a.at.getTime() - b.at.getTime());
}

const isSpare = ({ options }: ContainerRecord) => SPARE_LABEL in (options.labels ?? {});

function stateOf(
  home: Home,
  { record, before }: { record: ContainerRecord; before: Known | undefined },
): Omit<Known, 'record'> {
  const none = { stage: 'created', ran: before?.ran, oomKills: 0, exit: undefined } as const;
  if (isCreated(record)) return none;
  const { restarts, spec } = record;
  const alive = isAlive(home, spec.id);
  const found = readRunRecord(spec.runRecord);
  if (found === undefined) return none;
  const ran = { pid: found.pid, run: restarts };
  // Of the run before, as long as the new one has not come to write its own.
  if (before?.ran !== undefined && before.ran.run !== restarts && before.ran.pid === ran.pid) return none;
  // Its shim may not be gone yet, which nothing in the directory would tell.
  if (alive && !hasEnded(spec.runRecord))
    return { stage: 'running', ran, oomKills: killsIn(spec.cgroup.oomFile), exit: undefined };
  const exit = lastExit(record);
  return { stage: 'ended', ran, oomKills: countOomKills(exit.report.toString('latin1')), exit };
}

function killsIn(oomFile: string | undefined): number {
  if (oomFile === undefined) return 0;
  try {
    return countOomKills(readFileSync(oomFile, 'latin1'));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return 0;
    throw error;
  }
}
