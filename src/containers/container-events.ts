import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { isAlive, listContainerIds } from '../runtime/state/container-store.ts';
import { hasEnded, readRunRecord } from '../runtime/state/run-record.ts';
import { deferred } from '../support/deferred.ts';
import type { Home } from '../support/home.ts';
import { type ContainerRecord, readRecord } from './container-record.ts';
import { type Engine, openEngine } from './engine.ts';
import { openContainer } from './open-container.ts';
import { isCreated, lastExit } from './remains.ts';
import type { Run } from './run.ts';

/** Something that has happened to a container of this home, whichever process has done it. */
export interface ContainerEvent {
  readonly action: 'create' | 'start' | 'die' | 'destroy';
  readonly at: Date;
  readonly id: string;
  readonly name: string;
  /** What the image was named by. */
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of `die`. */
  readonly exitCode: number | undefined;
}

export interface EventsOptions {
  /** Those since then, too, as far as their containers are still there. Default: only what happens from now on. */
  readonly since?: Date;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

/** How far a container has come, as far as it has been told. */
interface Known {
  readonly record: ContainerRecord;
  readonly stage: 'created' | 'running' | 'ended';
}

/**
 * What happens to the containers of this home, in the order in which it is noticed: nobody has to tell, everything is on disk.
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
  const first = look(engine, known, changes).toSorted((a, b) => a.at.getTime() - b.at.getTime());
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
    const record = readRecord(home, id);
    if (record === undefined) continue;
    const now = { record, stage: stageOf(home, record) };
    events.push(...between(known.get(id), now));
    if (now.stage === 'running') changes.awaitEnd(id, record.restarts, () => openContainer(engine, id)?.run);
    known.set(id, now);
  }
  for (const [id, { record, stage }] of known) {
    if (ids.has(id)) continue;
    known.delete(id);
    changes.remove(id);
    // Its end may not have been noticed, of which nothing is left to tell how.
    if (stage === 'running') events.push(eventOf(record, 'die', new Date()));
    events.push(eventOf(record, 'destroy', new Date()));
  }
  return events;
}

function stageOf(home: Home, record: ContainerRecord): Known['stage'] {
  if (isCreated(record)) return 'created';
  const { id, runRecord } = record.spec;
  const alive = isAlive(home, id);
  if (readRunRecord(runRecord) === undefined) return 'created';
  // Its shim may not be gone yet, which nothing in the directory would tell.
  return alive && !hasEnded(runRecord) ? 'running' : 'ended';
}

function between(before: Known | undefined, { record, stage }: Known): ContainerEvent[] {
  const events: ContainerEvent[] = [];
  const again = before !== undefined && before.record.restarts !== record.restarts;
  if (before === undefined) events.push(eventOf(record, 'create', new Date(record.createdAt)));
  if (again && before.stage === 'running') events.push(eventOf(record, 'die', new Date(record.startedAt)));
  const started = stage !== 'created' && (again || before === undefined || before.stage === 'created');
  if (started) events.push(eventOf(record, 'start', new Date(record.startedAt)));
  if (stage === 'ended' && (started || before?.stage === 'running')) {
    const { at, exitCode } = lastExit(record);
    events.push(eventOf(record, 'die', at, exitCode));
  }
  return events;
}

function eventOf(
  { name, spec, image, options }: ContainerRecord,
  action: ContainerEvent['action'],
  at: Date,
  exitCode?: number,
): ContainerEvent {
  const labels = { ...image.config.Labels, ...options.labels };
  return { action, at, id: spec.id, name, image: image.reference, labels, exitCode };
}

/** Wakes whoever waits when something changes in the directory of containers, or in that of one. */
class HomeWatch implements Disposable {
  readonly #home: Home;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #runs = new Map<string, { readonly number: number; readonly run: Run | undefined }>();
  #changed = deferred<void>();

  constructor(home: Home, signal: AbortSignal | undefined) {
    this.#home = home;
    this.#watch('');
    signal?.addEventListener('abort', this.#wake, { once: true });
  }

  /** Returns when there may be something new since the last time. */
  async next(): Promise<void> {
    await this.#changed.promise;
    this.#changed = deferred();
  }

  add(id: string): void {
    if (!this.#watchers.has(id)) this.#watch(id);
  }

  remove(id: string): void {
    this.#watchers.get(id)?.close();
    this.#watchers.delete(id);
    this.#runs.get(id)?.run?.supervision.release();
    this.#runs.delete(id);
  }

  /** One that was killed together with its shim leaves no trace in its directory; the end of its pulse tells. */
  awaitEnd(id: string, run: number, open: () => Run | undefined): void {
    const before = this.#runs.get(id);
    if (before?.number === run) return;
    before?.run?.supervision.release();
    const opened = open();
    opened?.exited.then(this.#wake);
    this.#runs.set(id, { number: run, run: opened });
  }

  readonly #wake = () => this.#changed.resolve();

  #watch(id: string): void {
    try {
      const watcher = watch(join(this.#home.containers, id), this.#wake);
      watcher.on('error', this.#wake);
      this.#watchers.set(id, watcher);
      // What has changed before the watch began.
      this.#wake();
    } catch (error) {
      // It has gone already, which the watch above it notices.
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    for (const { run } of this.#runs.values()) run?.supervision.release();
  }
}
