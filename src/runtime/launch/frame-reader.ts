import { FRAME } from '../../kernel/program/abi.ts';

export interface Frame {
  readonly type: number;
  readonly body: Buffer;
}

/** Cuts the control socket's stream into frames, whatever the sizes in which it arrives. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Frame[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const frames: Frame[] = [];
    while (this.#pending.length >= FRAME.size) {
      const length = this.#pending.readUInt32LE(FRAME.offset.length);
      const end = FRAME.size + length;
      if (this.#pending.length < end) break;
      frames.push({
        type: this.#pending.readUInt32LE(FRAME.offset.type),
        body: this.#pending.subarray(FRAME.size, end),
      });
      this.#pending = this.#pending.subarray(end);
    }
    return frames;
  }
}

export function encodeFrame(type: number, body: Uint8Array): Buffer {
  const frame = Buffer.alloc(FRAME.size + body.length);
  frame.writeUInt32LE(type, FRAME.offset.type);
  frame.writeUInt32LE(body.length, FRAME.offset.length);
  frame.set(body, FRAME.size);
  return frame;
}
