import { type ErrorCode, isMayflyError } from '../../support/error.ts';

/** One thing that is wrong with the store. */
export interface StoreProblem {
  /** Name or id of the image, digest of the blob, diffID of the layer, or path of the file. */
  readonly what: string;
  /** `image.corrupt`, `image.bad-manifest`, `layer.corrupt`, …: what using it would fail with. */
  readonly code: ErrorCode;
  readonly why: string;
}

/**
 * What `look` returns, or undefined when it finds damage, which is reported. Other failures, such as too many open files, say
 * nothing about the store and are thrown.
 */
export function unlessDamaged<T>(
  what: string,
  look: () => T,
  report: (problem: StoreProblem) => void,
): T | undefined {
  try {
    return look();
  } catch (error) {
    report(problemOf(what, error));
    return undefined;
  }
}

/** The damage that an error speaks of. @throws the error when it speaks of something else */
export function problemOf(what: string, error: unknown): StoreProblem {
  if (!isMayflyError(error)) throw error;
  return { what, code: error.code, why: error.message.split('\n  hint: ')[0]! };
}
