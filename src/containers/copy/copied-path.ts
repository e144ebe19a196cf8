import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { FileError } from '../../files/file-error.ts';
import type { CopyIn, CopyOut } from '../../files/request.ts';
import { runFileWorker, startFileWorker } from '../../files/run-worker.ts';
import { TarReader } from '../../files/tar/reader.ts';
import { copyError } from './copy-error.ts';
import { type CopyTarget, checkPath, withRoot } from './copy-target.ts';

export interface CopyFromOptions {
  /** Ends the copy; its reason is thrown. */
  readonly signal?: AbortSignal;
}

export interface CopyTreeOptions extends CopyFromOptions {
  /** True to take what a link at the end of the path leads to, under the link's name, instead of the link. Default: false. */
  readonly followLink?: boolean;
}

export interface CopyToHostOptions extends CopyTreeOptions {
  /** `keep`: the numbers that the container has. Default: whoever this process is. */
  readonly owner?: 'keep';
}

/** Whoever the worker is. */
const CREATOR = { uid: -1, gid: -1 };

/**
 * A path in a running container, to be copied out: each method reads it when it is called.
 *
 * All throw MayflyError `copy.no-such-path`, `copy.refused` (below /proc or /sys), `container.exited`.
 */
export class CopiedPath {
  readonly #target: CopyTarget;
  readonly #path: string;

  constructor(target: CopyTarget, path: string) {
    checkPath(path);
    this.#target = target;
    this.#path = path;
  }

  /**
   * A tar of a file or directory, named as the last part of the path is; `.` after `/.`. Owners, modes and times are the
   * container's, links stay links. Errors are those of the stream.
   */
  tar({ followLink = false, signal }: CopyTreeOptions = {}): Readable {
    const output = this.#read({ name: this.#name(), followLink }, signal);
    return Readable.from(output, { objectMode: false });
  }

  /** The content of a file; links to it are followed. @throws MayflyError `copy.is-a-directory` */
  async buffer({ signal }: CopyFromOptions = {}): Promise<Buffer> {
    const reader = new TarReader(this.#read({ name: 'file', onlyFile: true }, signal));
    const parts: Buffer[] = [];
    if ((await reader.next()) !== undefined)
      for await (const { bytes } of reader.content()) parts.push(bytes);
    await reader.next();
    return Buffer.concat(parts);
  }

  /** The content of a file as UTF-8. @throws MayflyError `copy.is-a-directory` */
  async text(options: CopyFromOptions = {}): Promise<string> {
    return (await this.buffer(options)).toString('utf8');
  }

  /**
   * Copies to a path of the host as `docker cp` does: it becomes `hostPath`, whose directory has to be there, or goes into
   * it under its own name when that is a directory; what `/some/directory/.` holds goes into it. Nothing outside of
   * `hostPath` is written, whatever the container does. Setuid bits and capabilities are dropped.
   *
   * @throws MayflyError `copy.not-a-directory`, `copy.is-a-directory`, `copy.read-only`, `copy.no-space`,
   *   `copy.refused` (a device)
   */
  async to(hostPath: string, { owner, followLink = false, signal }: CopyToHostOptions = {}): Promise<void> {
    const input = Readable.from(this.#read({ name: '.', followLink, sparse: true }, signal), {
      objectMode: false,
    });
    try {
      const { root, ...place } = this.#place(resolve(hostPath));
      const request: CopyIn = {
        operation: 'copy-in',
        ...place,
        trusted: false,
        owner: owner === 'keep' ? undefined : CREATOR,
      };
      await runFileWorker(request, { root, input, signal, launcher: this.#target.launcher });
    } catch (error) {
      input.destroy();
      throw copyError(error, `copying ${this.#path} of ${this.#target.name} to ${hostPath}`);
    }
  }

  /** Where a copy goes on the host; the worker's root is as near to it as can be. */
  #place(hostPath: string): Pick<CopyIn, 'path' | 'shape' | 'name'> & { readonly root: string } {
    const shape = this.#name() === '.' ? 'contents' : 'top';
    const name = basename(this.#path);
    if (existsSync(hostPath) && statSync(hostPath).isDirectory())
      return { root: realpathSync(hostPath), path: '/', shape, name };
    const parent = dirname(hostPath);
    if (!existsSync(parent))
      throw new FileError('no-such-path', `there is no directory ${parent} on the host`);
    return { root: realpathSync(parent), path: `/${basename(hostPath)}`, shape, name };
  }

  #name(): string {
    return /^\/+$|\/\.$/.test(this.#path) ? '.' : basename(this.#path);
  }

  async *#read(request: Omit<CopyOut, 'operation' | 'path'>, signal?: AbortSignal): AsyncGenerator<Buffer> {
    const { launcher, name } = this.#target;
    try {
      const { output } = await withRoot(this.#target, (root) =>
        startFileWorker({ operation: 'copy-out', path: this.#path, ...request }, { root, signal, launcher }),
      );
      yield* output;
    } catch (error) {
      throw copyError(error, `copying ${this.#path} of ${name}`);
    }
  }
}
