import { isAbsolute } from 'node:path';
import { parseByteSize } from '../support/byte-size.ts';
import { parseDuration } from '../support/duration.ts';
import { z } from '../support/zod.ts';

const MAX_PORT = 65535;

/** What can be handed to the kernel as a string. */
export const text = z
  .string()
  .check(z.refine((value) => !value.includes('\0'), 'must not contain a NUL character'));

export const path = text.check(z.refine(isAbsolute, 'must be an absolute path'));

export const size = z
  .union([z.number(), z.string()])
  .check(z.refine(parses(parseByteSize), 'must be bytes or a size such as "512m"'));

export const duration = z
  .union([z.number(), z.string()])
  .check(z.refine(parses(parseDuration), 'must be milliseconds or a time such as "30s"'));

export const argv = z.array(text).check(z.minLength(1));

export const port = z.int().check(z.gte(1), z.lte(MAX_PORT));

export const env = z.record(
  text.check(z.refine((name) => name !== '' && !name.includes('='), 'is not a name of a variable')),
  text,
);

/** True for what a parser takes without an error. */
export function parses<T>(parse: (value: T) => unknown): (value: T) => boolean {
  return (value) => {
    try {
      parse(value);
      return true;
    } catch {
      return false;
    }
  };
}
