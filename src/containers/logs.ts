import { watch } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { deferred } from '../support/deferred.ts';
import { type LogLine, LogParser } from './log-line.ts';

export interface LogsOptions {
  /** Go on until the container ends or the signal aborts. Default: false, what there is now. */
  readonly follow?: boolean;
  /** Only lines from this moment on: a Date, or milliseconds since 1970. */
  readonly since?: Date | number;
  /** Only the last so many of the lines that are there already. Default: all. */
  readonly tail?: number;
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal;
}

const CHUNK = 1 << 16;

/** Where the log is of what a container was before it was restored, before the one at a path; if it has been. */
export const formerLogOf = (path: string): string => `${path}.former`;

/**
 * Reads a container's log file, and before it the log of what it was before it was restored.
 *
 * `ended` settles when nothing more will be written; following goes on until then.
 */
export async function* readLog(
  { path, ended }: { path: string; ended: Promise<unknown> },
  { follow = false, since, tail, signal }: LogsOptions = {},
): AsyncGenerator<LogLine, void, void> {
  const from = since === undefined ? undefined : Number(since);
  const wanted = (line: LogLine) => from === undefined || line.time.getTime() >= from;
  const former = (await readFormer(path)).filter(wanted);
  const file = await open(path, 'r');
  const source = new GrowingFile(file);
  const changes = follow ? watchChanges(path, ended, signal) : undefined;
  try {
    const present = former.concat((await source.readLines()).filter(wanted));
    yield* tail === undefined ? present : tail === 0 ? [] : present.slice(-tail);
    while (changes !== undefined && !signal?.aborted) {
      const over = await changes.next();
      yield* (await source.readLines()).filter(wanted);
      if (over) break;
    }
    if (!signal?.aborted) yield* source.parser.flush().filter(wanted);
  } finally {
    changes?.close();
    await file.close();
  }
}

async function readFormer(path: string): Promise<LogLine[]> {
  try {
    const parser = new LogParser();
    return [...parser.push(await readFile(formerLogOf(path))), ...parser.flush()];
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

class GrowingFile {
  readonly parser = new LogParser();
  readonly #file: FileHandle;
  readonly #buffer = Buffer.allocUnsafe(CHUNK);
  #position = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** All whole lines between the last read and the present end of the file. */
  async readLines(): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for (;;) {
      const { bytesRead } = await this.#file.read(this.#buffer, 0, CHUNK, this.#position);
      if (bytesRead === 0) return lines;
      this.#position += bytesRead;
      lines.push(...this.parser.push(this.#buffer.subarray(0, bytesRead)));
    }
  }
}

/** `next()` waits for the file to change; it says true when there will be no further change. */
function watchChanges(path: string, ended: Promise<unknown>, signal: AbortSignal | undefined) {
  let changed = deferred<void>();
  // The first read may have missed what was written before the watch began.
  changed.resolve();
  let over = false;
  const wake = () => changed.resolve();
  const finish = () => {
    over = true;
    wake();
  };
  const watcher = watch(path, { persistent: true }, wake);
  watcher.on('error', finish);
  ended.then(finish, finish);
  signal?.addEventListener('abort', finish, { once: true });
  return {
    async next(): Promise<boolean> {
      await changed.promise;
      // Before reading, so that a change during the read wakes the next round.
      changed = deferred();
      if (over) changed.resolve();
      return over;
    },
    close: () => {
      signal?.removeEventListener('abort', finish);
      watcher.close();
    },
  };
}
