import { closeSync, type FSWatcher, openSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import type { ProcessExit } from '../../runtime/launch/supervision.ts';
import { readOpenRunRecord } from '../../runtime/state/run-record.ts';
import { deferred } from '../../support/deferred.ts';
import type { Home } from '../../support/home.ts';
import type { ContainerRecord } from '../container-record.ts';
import type { Run } from '../run.ts';
import type { ToldLine } from './tell.ts';
import { ToldFile } from './told-file.ts';

/** The directory of one container, as long as it is the same one. */
interface Watched {
  readonly inode: number;
  readonly watcher: FSWatcher;
  told: ToldFile | undefined;
}

interface WatchedRun {
  readonly number: number;
  readonly run: Run | undefined;
  /** Of its run record, which tells how it ended, also when that has been removed. */
  readonly record: number;
}

/** Wakes whoever waits when something changes in the directory of containers, or in that of one; and has what is told there. */
export class HomeWatch implements Disposable {
  readonly #home: Home;
  readonly #all: FSWatcher;
  readonly #watched = new Map<string, Watched>();
  readonly #runs = new Map<string, WatchedRun>();
  #changed = deferred<void>();

  constructor(home: Home, signal: AbortSignal | undefined) {
    this.#home = home;
    this.#all = this.#watch('');
    signal?.addEventListener('abort', this.#wake, { once: true });
  }

  /** Returns when there may be something new since the last time. */
  async next(): Promise<void> {
    await this.#changed.promise;
    this.#changed = deferred();
  }

  /** Watches a container, too; anew when it has got another directory, a spare's. */
  add(id: string): void {
    const inode = statSync(join(this.#home.containers, id), { throwIfNoEntry: false })?.ino;
    const before = this.#watched.get(id);
    if (inode === undefined || before?.inode === inode) return;
    // What has been read of it is not told again.
    const told = before?.told?.isCurrent ? before.told : undefined;
    if (told !== undefined) before!.told = undefined;
    this.#close(id);
    try {
      this.#watched.set(id, { inode, watcher: this.#watch(id), told });
    } catch (error) {
      told?.[Symbol.dispose]();
      // It has gone already, which the watch above it notices.
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }

  /** What has been told of a container since the last time, also when it has gone meanwhile. */
  told(id: string): ToldLine[] {
    const watched = this.#watched.get(id);
    if (watched === undefined) return [];
    // Not when the watch begins: the directory of a container is there a little before what is in it.
    watched.told ??= ToldFile.open(this.#home, id);
    return watched.told?.next() ?? [];
  }

  /** Lets go of all but these. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#watched.keys()) if (!ids.has(id)) this.#close(id);
    for (const id of this.#runs.keys()) {
      if (!ids.has(id)) this.#letGo(id);
    }
  }

  /** One that was killed together with its shim leaves no trace in its directory; the end of its pulse tells. */
  awaitEnd({ spec: { id, runRecord }, restarts }: ContainerRecord, open: () => Run | undefined): void {
    if (this.#runs.get(id)?.number === restarts) return;
    this.#letGo(id);
    try {
      const run = open();
      run?.exited.then(this.#wake);
      this.#runs.set(id, { number: restarts, run, record: openSync(runRecord, 'r') });
    } catch (error) {
      // It has gone already.
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }

  /** How the run ended whose end was awaited, as far as its shim has come to write it down. */
  exitOf(id: string): ProcessExit | undefined {
    const run = this.#runs.get(id);
    return run && readOpenRunRecord(run.record)?.exit;
  }

  readonly #wake = () => this.#changed.resolve();

  #watch(id: string): FSWatcher {
    const watcher = watch(join(this.#home.containers, id), this.#wake);
    watcher.on('error', this.#wake);
    // What has changed before the watch began.
    this.#wake();
    return watcher;
  }

  #letGo(id: string): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    run.run?.supervision.release();
    closeSync(run.record);
    this.#runs.delete(id);
  }

  #close(id: string): void {
    const watched = this.#watched.get(id);
    watched?.watcher.close();
    watched?.told?.[Symbol.dispose]();
    this.#watched.delete(id);
  }

  [Symbol.dispose](): void {
    this.#all.close();
    this.keep(new Set());
  }
}
