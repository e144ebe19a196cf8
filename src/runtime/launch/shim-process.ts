import { Socket } from 'node:net';
import { closeDescriptor } from '../../kernel/ffi/descriptor.ts';
import { reap } from '../../kernel/ffi/libc.ts';
import { FRAMES } from '../../kernel/program/abi.ts';
import type { Program } from '../../kernel/program/instruction.ts';
import { deferred } from '../../support/deferred.ts';
import { MayflyError } from '../../support/error.ts';
import { encodeFrame, type Frame, FrameReader } from './frame-reader.ts';
import { ProgramError } from './program-error.ts';
import { type SpawnShimOptions, spawnShim } from './spawn-shim.ts';
import { exitCodeOf, KILLED, type ProcessExit, type Supervision } from './supervision.ts';

const SIGKILL = 9;

export interface ShimOptions extends SpawnShimOptions {
  /** Turns the failure of the program into the error that `started` rejects with. Default: as it is. */
  readonly explainFailure?: (failure: ProgramError) => MayflyError;
}

/**
 * A running shim. It and everything inside die when this process does, or when {@link ShimProcess.close} is called; of a
 * detached program only the last holds.
 */
export class ShimProcess implements Supervision {
  readonly pid: number;
  /** Resolves with the host pid of the shim's child once its program runs. @throws ProgramError */
  readonly started: Promise<number>;
  readonly exited: Promise<ProcessExit>;
  readonly #control: Socket;
  #notices = 0;
  #noticed: (() => void) | undefined;

  constructor(options: ShimOptions) {
    const { pid, control, program, held } = spawnShim(options);
    this.pid = pid;
    this.#control = new Socket({ fd: control, readable: true, writable: true });
    if (held !== undefined) this.#control.once('close', () => closeDescriptor(held.fd));
    const { started, exited } = this.#follow(program, options.explainFailure);
    this.started = started;
    this.exited = exited;
  }

  signal(signal: number): void {
    const body = Buffer.alloc(4);
    body.writeInt32LE(signal);
    if (this.#control.writable) this.#control.write(encodeFrame(FRAMES.signal, body));
  }

  /** Has `listener` called whenever the program's notice descriptor speaks; at once if it has spoken already. */
  onNotice(listener: () => void): void {
    this.#noticed = listener;
    if (this.#notices > 0) listener();
  }

  /** Ends the shim and everything inside. Await `exited` for the end of it. */
  close(): void {
    this.signal(SIGKILL);
    this.#control.ref();
    this.#control.end();
  }

  /** The state in which a shim starts. */
  ref(): void {
    this.#control.ref();
  }

  unref(): void {
    this.#control.unref();
  }

  /** Has it all go on when this process ends, which it keeps from ending no longer. */
  detach(): void {
    if (this.#control.writable) this.#control.write(encodeFrame(FRAMES.detach, Buffer.alloc(0)));
    this.#control.unref();
  }

  /** Nothing: what its launcher lets go of ends. */
  release(): void {}

  #notice(): void {
    this.#notices += 1;
    this.#noticed?.();
  }

  #follow(
    program: Program,
    explainFailure: (failure: ProgramError) => MayflyError = (failure) => failure,
  ): {
    started: Promise<number>;
    exited: Promise<ProcessExit>;
  } {
    const start = deferred<number>();
    const exit = deferred<ProcessExit>();
    // Whoever started the shim may look at one of the two only.
    start.promise.catch(() => {});
    const reader = new FrameReader();
    let last: Omit<ProcessExit, 'at'> = { exitCode: KILLED, report: Buffer.alloc(0) };
    const take = ({ type, body }: Frame) => {
      if (type === FRAMES.started) start.resolve(body.readInt32LE());
      else if (type === FRAMES.failed) start.reject(explainFailure(new ProgramError(program, body)));
      else if (type === FRAMES.notice) this.#notice();
      else if (type === FRAMES.exited)
        last = { exitCode: exitCodeOf(body.readInt32LE()), report: body.subarray(4) };
    };
    this.#control.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) take(frame);
    });
    // A reset is how the end of a killed shim looks; `close` follows it.
    this.#control.on('error', () => {});
    this.#control.on('close', () => {
      start.reject(new MayflyError('kernel.shim-lost', 'the shim ended before its program had started'));
      reap(this.pid).then(() => exit.resolve({ ...last, at: new Date() }));
    });
    return { started: start.promise, exited: exit.promise };
  }
}
