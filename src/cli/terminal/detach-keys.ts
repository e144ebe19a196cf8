import { UsageError } from '../usage-error.ts';

/** The bytes of a sequence of keys as docker writes it: `a`, `ctrl-p,ctrl-q`. @throws UsageError */
export function parseKeys(text: string): Buffer {
  if (text === '') return Buffer.alloc(0);
  return Buffer.from(
    text.split(',').map((key) => {
      const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
      if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
      if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
      throw new UsageError(
        `not a key: ${JSON.stringify(key)}`,
        'write keys such as a or ctrl-p, with commas between',
      );
    }),
  );
}

/** Looks for a sequence of keys among those that are pressed. */
export class KeyWatch {
  readonly #keys: Buffer;
  /** How many of the sequence have just been pressed, and are held back. */
  #pressed = 0;

  /** Keys of {@link parseKeys}; none are never found. */
  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /** What is to be passed on of what has been typed, and whether the sequence has been completed; what comes after it is dropped. */
  push(typed: Uint8Array): { readonly passed: Buffer; readonly found: boolean } {
    if (this.#keys.length === 0) return { passed: Buffer.from(typed), found: false };
    const passed: number[] = [];
    for (const key of typed) {
      if (key !== this.#keys[this.#pressed] && this.#pressed > 0) {
        passed.push(...this.#keys.subarray(0, this.#pressed));
        this.#pressed = 0;
      }
      if (key !== this.#keys[this.#pressed]) passed.push(key);
      else if (++this.#pressed === this.#keys.length) return { passed: Buffer.from(passed), found: true };
    }
    return { passed: Buffer.from(passed), found: false };
  }
}
