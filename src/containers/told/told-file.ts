import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { toldPath } from '../../runtime/state/container-store.ts';
import type { Home } from '../../support/home.ts';
import type { ToldLine } from './tell.ts';

/** What is told of one container, read as it is written. Held open, so that nothing is missed of one that is removed. */
export class ToldFile implements Disposable {
  readonly #id: string;
  readonly #path: string;
  readonly #fd: number;
  #offset = 0;

  private constructor(id: string, path: string) {
    this.#id = id;
    this.#path = path;
    this.#fd = openSync(path, 'r');
  }

  /** Undefined for a container that has gone, and for one of an older version. */
  static open(home: Home, id: string): ToldFile | undefined {
    try {
      return new ToldFile(id, toldPath(home, id));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Whether the container's directory has this file still, or again: it goes along when another process tree takes over. */
  get isCurrent(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino === fstatSync(this.#fd).ino;
  }

  /** What has come since the last time. */
  next(): ToldLine[] {
    const { size } = fstatSync(this.#fd);
    // It was emptied, because it had become too long.
    if (size < this.#offset) this.#offset = 0;
    const bytes = Buffer.alloc(size - this.#offset);
    const read = bytes.subarray(0, readSync(this.#fd, bytes, 0, bytes.length, this.#offset));
    // A line is written at once, but for one that found no room; that is skipped with the next.
    const whole = read.subarray(0, read.lastIndexOf('\n') + 1);
    this.#offset += whole.length;
    return whole
      .toString()
      .split('\n')
      .flatMap((text) => parseLine(text) ?? [])
      .filter(({ id }) => id === this.#id);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function parseLine(text: string): ToldLine | undefined {
  try {
    return JSON.parse(text) as ToldLine;
  } catch {
    return undefined;
  }
}
