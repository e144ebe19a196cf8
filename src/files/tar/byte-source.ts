import { refuse } from '../file-error.ts';

const NOTHING = Buffer.alloc(0);

/** Takes counted bytes from a stream; holds no more of it than the stream's own chunks. */
export class ByteSource {
  readonly #input: AsyncIterator<Buffer>;
  #chunk: Buffer = NOTHING;

  constructor(input: AsyncIterable<Buffer>) {
    this.#input = input[Symbol.asyncIterator]();
  }

  /** Exactly `size` bytes; undefined when the stream has ended. @throws FileError `file.refused` when it ends in between */
  async take(size: number): Promise<Buffer | undefined> {
    if (this.#chunk.length < size) {
      const parts: Buffer[] = [];
      for await (const part of this.stream(size, parts)) parts.push(part);
      return parts.length === 0 && size > 0 ? undefined : Buffer.concat(parts);
    }
    const taken = this.#chunk.subarray(0, size);
    this.#chunk = this.#chunk.subarray(size);
    return taken;
  }

  /** The next `size` bytes, as they come. With `soFar`, a stream that has ended before the first of them is no error. */
  async *stream(size: number, soFar?: readonly unknown[]): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      if (this.#chunk.length === 0 && !(await this.#fill())) {
        if (soFar?.length === 0) return;
        throw refuse('the archive is truncated');
      }
      const part = this.#chunk.subarray(0, left);
      this.#chunk = this.#chunk.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  async skip(size: number): Promise<void> {
    for await (const _ of this.stream(size));
  }

  /** Reads what is left. */
  async drain(): Promise<void> {
    while (await this.#fill());
  }

  async #fill(): Promise<boolean> {
    const { value, done } = await this.#input.next();
    this.#chunk = done ? NOTHING : value;
    return !done;
  }
}
