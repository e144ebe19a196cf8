import type { Readable, Writable } from 'node:stream';
import type { TerminalExec } from '../../runtime/launch/start-exec.ts';
import type { TerminalSize } from '../../runtime/spec/container-spec.ts';
import { AttachedStreams } from '../attach/attached-streams.ts';
import { signalNumber } from '../signals.ts';
import type { ExecIdentity } from './start.ts';

const SIGKILL = 9;

export interface ExecTerminalOptions extends ExecIdentity {
  /** Characters. Default: 80 columns, 24 rows. */
  readonly size?: TerminalSize;
  /** Kills the command. */
  readonly signal?: AbortSignal;
}

/** A command that runs in a container on a terminal of its own. It ends with this process. */
export class TerminalStream implements AsyncDisposable {
  /** What a person would type. */
  readonly stdin: Writable;
  /** What a person would see. To be read, or `resume`d: a command waits while nobody does. */
  readonly stdout: Readable;
  /** Resolves with the exit code, 128 + N when signal N ended it. What it wrote may still have to be read. */
  readonly exited: Promise<{ readonly exitCode: number }>;
  readonly #shim: TerminalExec['shim'];
  readonly #streams: AttachedStreams;

  constructor(
    { shim, client }: TerminalExec,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ) {
    this.#shim = shim;
    this.#streams = new AttachedStreams(client);
    this.stdin = this.#streams.stdin;
    this.stdout = this.#streams.stdout;
    const kill = () => shim.signal(SIGKILL);
    signal?.addEventListener('abort', kill, { once: true });
    this.exited = shim.exited.then(({ exitCode }) => {
      signal?.removeEventListener('abort', kill);
      return { exitCode };
    });
  }

  /** Gives the terminal another size; the command is told by SIGWINCH. */
  resize(size: TerminalSize): void {
    this.#streams.resize(size);
  }

  /** Sends a signal to the command. Default: SIGTERM. Nothing happens when it has ended. */
  kill(signal: string | number = 'SIGTERM'): void {
    this.#shim.signal(signalNumber(signal));
  }

  /** Lets go of the command, which goes on when this process ends, though nobody reads what it writes. */
  detach(): void {
    this.#shim.detach();
    this.#streams.close();
  }

  /** Kills the command, unless it has ended, and closes the streams. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#shim.signal(SIGKILL);
    await this.exited;
    this.#streams.close();
  }
}

/** Resolves once the command runs. @throws CommandError; the signal's reason */
export async function openTerminalStream(
  started: TerminalExec,
  { signal }: { readonly signal?: AbortSignal },
): Promise<TerminalStream> {
  const stream = new TerminalStream(started, { signal });
  try {
    await started.shim.started;
    signal?.throwIfAborted();
    return stream;
  } catch (error) {
    await stream[Symbol.asyncDispose]();
    throw error;
  }
}
