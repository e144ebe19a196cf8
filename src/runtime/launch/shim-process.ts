import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { closeDescriptor } from '../../kernel/ffi/descriptor.ts';
import { call, reap } from '../../kernel/ffi/libc.ts';
import { type HeldDescriptor, holdDescriptor } from '../../kernel/processes/held-descriptor.ts';
import { spawnProcess } from '../../kernel/processes/spawn.ts';
import { FDS, FRAMES } from '../../kernel/program/abi.ts';
import { encode } from '../../kernel/program/encode.ts';
import type { Program } from '../../kernel/program/instruction.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import type { Architecture } from '../../kernel/syscalls/numbers.ts';
import { debugLog } from '../../support/debug.ts';
import { deferred } from '../../support/deferred.ts';
import { MayflyError } from '../../support/error.ts';
import { encodeFrame, type Frame, FrameReader } from './frame-reader.ts';
import { ProgramError } from './program-error.ts';
import { exitCodeOf, KILLED, type ProcessExit, type Supervision } from './supervision.ts';

const debug = debugLog('shim');

const SIGKILL = 9;
const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;

export interface ShimOptions {
  readonly binary: ShimBinary;
  /** Called once the shim is on its way, so that the two do not wait for each other; nothing runs before it returns. */
  readonly compile: (shimPid: number, held: HeldDescriptor | undefined) => Program;
  /** True: what a Worker starts goes on when the Worker ends, until the process does. Default: false. */
  readonly outlivesThread?: boolean;
  /** Descriptors to hand over, by the meaning they have in the shim. They stay open here. */
  readonly fds: Partial<Record<keyof typeof FDS, number>>;
  /** Second word of the shim's command line, for people who look at `ps`. */
  readonly label: string;
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
    const { binary, compile, fds, label } = options;
    const pair = new Int32Array(2);
    call('socketpair', [AF_UNIX, SOCK_STREAM_CLOEXEC, 0, pair], 'create the control socket');
    const [ours, theirs] = [pair[0]!, pair[1]!];
    let program: Program;
    const held = options.outlivesThread && !isMainThread ? holdDescriptor(ours) : undefined;
    let pid: number | undefined;
    try {
      const map = new Map([[FDS.control as number, theirs]]);
      for (const [name, fd] of Object.entries(fds)) map.set(FDS[name as keyof typeof FDS], fd);
      pid = spawnProcess({ path: binary.path, argv: ['mayfly-shim', label], fds: map });
      debug('shim %d is for %s', pid, label);
      program = compile(pid, held);
      // At once and synchronously: the shim reads as we write, however long the program and however busy our event loop.
      writeWhole(ours, encodeFrame(FRAMES.program, encode(program, process.arch as Architecture)));
    } catch (error) {
      // End of file ends a shim that has been given no program.
      closeDescriptor(ours);
      if (held !== undefined) closeDescriptor(held.fd);
      if (pid !== undefined) reap(pid);
      throw error;
    } finally {
      closeDescriptor(theirs);
    }
    this.pid = pid;
    this.#control = new Socket({ fd: ours, readable: true, writable: true });
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

function writeWhole(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
