import { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { duplicateDescriptor } from '../../kernel/ffi/descriptor.ts';
import { FRAMES } from '../../kernel/program/abi.ts';
import { encodeFrame, type Frame, FrameReader } from '../../runtime/launch/frame-reader.ts';
import type { TerminalSize } from '../../runtime/spec/container-spec.ts';
import { deferred } from '../../support/deferred.ts';

const NOTHING = Buffer.alloc(0);

/** The streams of a process, over the socket of its shim (src/kernel/shim/attach.h). The process goes on without them. */
export class AttachedStreams {
  /** Its end is that of the process's input, unless that is a terminal. What nothing reads is dropped. */
  readonly stdin: Writable;
  /** All that is written on a terminal is stdout. Both end with the process, and when the streams are closed. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when nothing more will come. */
  readonly closed: Promise<void>;
  /** Bytes that were written while this side did not read, and are lost to it. Always 0 where the process waits for us. */
  missed = 0;
  readonly #source: Socket;
  /** Apart from the source, because Node gives up both ways when it cannot write, and with that what has not been read yet. */
  readonly #sink: Socket;
  readonly #full = new Set<Readable>();

  /** Takes over a descriptor of a connected socket. */
  constructor(fd: number) {
    this.#sink = new Socket({ fd: duplicateDescriptor(fd), readable: false, writable: true });
    this.#sink.on('error', () => {});
    this.#source = new Socket({ fd, readable: true, writable: false });
    this.stdin = new Writable({
      write: (chunk: Buffer, _encoding, done) => void this.#send(FRAMES.input, chunk, done),
      final: (done) => void this.#send(FRAMES.endInput, NOTHING, done),
    });
    // A process that ends without having read everything is no failure.
    this.stdin.on('error', () => {});
    this.stdout = this.#openOutput();
    this.stderr = this.#openOutput();
    this.closed = this.#follow();
  }

  /** Tells the terminal how large it is shown. */
  resize({ rows, columns }: TerminalSize): void {
    const size = Buffer.alloc(4);
    size.writeUInt16LE(rows, 0);
    size.writeUInt16LE(columns, 2);
    this.#send(FRAMES.resize, size, () => {});
  }

  /** Lets go of the process. */
  close(): void {
    this.#source.destroy();
    this.#sink.destroy();
  }

  #send(type: number, body: Uint8Array, done: () => void): void {
    if (this.#sink.writable) this.#sink.write(encodeFrame(type, body), () => done());
    else done();
  }

  #openOutput(): Readable {
    const full = this.#full;
    const source = this.#source;
    return new Readable({
      read() {
        full.delete(this);
        if (full.size === 0) source.resume();
      },
    });
  }

  #follow(): Promise<void> {
    const closed = deferred<void>();
    const reader = new FrameReader();
    this.#source.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) this.#take(frame);
    });
    this.#source.on('error', () => {});
    this.#source.on('close', () => {
      for (const output of [this.stdout, this.stderr]) output.push(null);
      this.#sink.destroy();
      this.stdin.destroy();
      closed.resolve();
    });
    return closed.promise;
  }

  #take({ type, body }: Frame): void {
    if (type === FRAMES.missed) this.missed += body.readUInt32LE();
    const output =
      type === FRAMES.output ? this.stdout : type === FRAMES.errorOutput ? this.stderr : undefined;
    if (output === undefined || output.push(body)) return;
    this.#full.add(output);
    this.#source.pause();
  }
}
