import type { Operand } from './instruction.ts';

type Placed = Exclude<Operand, { kind: 'immediate' | 'result' }>;

/** The bytes that operands point to, and the cells among them that are pointers themselves. */
export class DataSection {
  readonly #chunks: Buffer[] = [];
  readonly #relocations: number[] = [];
  readonly #slots = new Map<string, { offset: number; length: number }>();
  readonly #shared = new Map<string, number>();
  #size = 0;

  /** Puts an operand's bytes into the section and returns their offset. Equal strings are stored once. */
  place(operand: Placed): number {
    switch (operand.kind) {
      case 'string':
        return this.#placeString(operand.value);
      case 'bytes':
        return this.#placeBytes(operand.value, operand.slot);
      case 'strings':
        return this.#placeCells([
          ...operand.values.map((value) => ({ kind: 'string', value }) as const),
          ZERO,
        ]);
      case 'struct':
        return this.#placeCells(operand.cells);
    }
  }

  finish(): {
    bytes: Buffer;
    relocations: readonly number[];
    slots: ReadonlyMap<string, { offset: number; length: number }>;
  } {
    return { bytes: Buffer.concat(this.#chunks), relocations: this.#relocations, slots: this.#slots };
  }

  #placeString(value: string): number {
    if (value.includes('\0')) throw new RangeError('a string for the kernel cannot hold a NUL character');
    const known = this.#shared.get(value);
    if (known !== undefined) return known;
    const offset = this.#append(Buffer.from(`${value}\0`));
    this.#shared.set(value, offset);
    return offset;
  }

  /** A slot that was placed before keeps its place: two instructions may name one buffer. */
  #placeBytes(value: Uint8Array, slot: string | undefined): number {
    const known = slot === undefined ? undefined : this.#slots.get(slot);
    if (known !== undefined) return known.offset;
    const offset = this.#append(Buffer.from(value));
    if (slot !== undefined) this.#slots.set(slot, { offset, length: value.length });
    return offset;
  }

  #placeCells(cells: readonly Operand[]): number {
    const table = Buffer.alloc(cells.length * 8);
    const view = viewOf(table);
    const pointers: number[] = [];
    cells.forEach((cell, i) => {
      if (cell.kind === 'result')
        throw new RangeError('a struct cannot hold a result; pin the fd with dup3 instead');
      if (cell.kind !== 'immediate') pointers.push(i);
      writeCell(view, cell.kind === 'immediate' ? cell.value : this.place(cell), i * 8);
    });
    const offset = this.#append(table);
    this.#relocations.push(...pointers.map((i) => offset + i * 8));
    return offset;
  }

  /** Everything starts on 8 bytes, so that any struct may lie anywhere. */
  #append(chunk: Buffer): number {
    const offset = this.#size;
    const padded = Buffer.alloc(Math.ceil(chunk.length / 8) * 8);
    chunk.copy(padded);
    this.#chunks.push(padded);
    this.#size += padded.length;
    return offset;
  }
}

const ZERO: Operand = { kind: 'immediate', value: 0 };

/** Numbers are written by way of a view: Buffer's methods check what is given in JavaScript, which takes most of the time of a start. */
export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** A whole number of up to 53 bits as 64 bits in two's complement: several times as fast as by way of a bigint. */
export function writeCell(bytes: DataView, value: number, offset: number): void {
  const high = Math.floor(value / 2 ** 32);
  bytes.setUint32(offset, value - high * 2 ** 32, true);
  bytes.setInt32(offset + 4, high, true);
}
