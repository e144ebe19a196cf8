import { Socket } from 'node:net';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ExecProcess } from '../../runtime/launch/start-exec.ts';
import { signalNumber } from '../signals.ts';
import type { ExecIdentity } from './start.ts';

const SIGKILL = 9;

export interface ExecStreamOptions extends ExecIdentity {
  /** What the command reads. Default: what is written to the handle's `stdin`, until that is ended. */
  readonly stdin?: string | Uint8Array | Readable;
  /** Kills the command. */
  readonly signal?: AbortSignal;
}

/** A command that runs in a container, with its streams. It ends with this process. */
export class ExecStream implements AsyncDisposable {
  readonly stdin: Writable;
  /**
   * To be read, or `resume`d: a command waits while nobody takes what it writes. Ends when the command and whatever it has left
   * behind have closed it.
   */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves with the exit code, 128 + N when signal N ended it. What it wrote may still have to be read. */
  readonly exited: Promise<{ readonly exitCode: number }>;
  readonly #shim: ExecProcess['shim'];

  constructor({ shim, stdin, stdout, stderr }: ExecProcess, { signal, ...options }: ExecStreamOptions) {
    const writable = new Socket({ fd: stdin, readable: false, writable: true });
    // A command that does not read all of it is no error.
    writable.on('error', () => {});
    if (options.stdin instanceof Readable) pipeline(options.stdin, writable).catch(() => {});
    else if (options.stdin !== undefined) writable.end(options.stdin);
    this.#shim = shim;
    this.stdin = writable;
    this.stdout = new Socket({ fd: stdout, readable: true, writable: false });
    this.stderr = new Socket({ fd: stderr, readable: true, writable: false });
    const kill = () => shim.signal(SIGKILL);
    signal?.addEventListener('abort', kill, { once: true });
    this.exited = shim.exited.then(({ exitCode }) => {
      signal?.removeEventListener('abort', kill);
      writable.destroy();
      return { exitCode };
    });
  }

  /** Sends a signal to the command. Default: SIGTERM. Nothing happens when it has ended. */
  kill(signal: string | number = 'SIGTERM'): void {
    this.#shim.signal(signalNumber(signal));
  }

  /** Lets go of the command, which goes on when this process ends, though nobody reads what it writes. */
  detach(): void {
    this.#shim.detach();
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.destroy();
  }

  /** Kills the command, unless it has ended, and closes the streams. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#shim.signal(SIGKILL);
    await this.exited;
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.destroy();
  }
}

/** Resolves once the command runs. @throws CommandError; the signal's reason */
export async function openExecStream(started: ExecProcess, options: ExecStreamOptions): Promise<ExecStream> {
  const stream = new ExecStream(started, options);
  try {
    await started.shim.started;
    options.signal?.throwIfAborted();
    return stream;
  } catch (error) {
    await stream[Symbol.asyncDispose]();
    throw error;
  }
}
