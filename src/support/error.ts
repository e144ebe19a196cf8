/** The part of the product an error comes from: the word before the dot of its code. */
export type ErrorArea =
  | 'option'
  | 'host'
  | 'kernel'
  | 'file'
  | 'copy'
  | 'container'
  | 'exec'
  | 'wait'
  | 'image'
  | 'registry'
  | 'layer'
  | 'snapshot'
  | 'recipe'
  | 'preset'
  | 'network'
  | 'cgroup'
  | 'cli'
  | 'build';

export type ErrorCode = `${ErrorArea}.${string}`;

export interface ErrorDetails {
  /** What went wrong underneath; kept as `error.cause`. */
  readonly cause?: unknown;
  /** What the reader can do about it, as an imperative sentence without a full stop. */
  readonly hint?: string;
}

/**
 * Every error that mayfly throws on purpose.
 *
 * `code` is stable and meant for programs (`container.name-taken`); `message` and `hint` are meant for people.
 * Areas add fields by extending this class.
 */
export class MayflyError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(details.hint === undefined ? message : `${message}\n  hint: ${details.hint}`, {
      cause: details.cause,
    });
    this.name = new.target.name;
    this.code = code;
    this.hint = details.hint;
  }
}

/** True for a MayflyError, of the given code when one is named. */
export function isMayflyError(value: unknown, code?: ErrorCode): value is MayflyError {
  return value instanceof MayflyError && (code === undefined || value.code === code);
}

/**
 * A failure together with the failure of the clean-up that followed it: neither may hide the other.
 *
 * Returns `failure` itself when the clean-up worked.
 */
export async function withCleanup<E>(failure: E, cleanup: () => unknown): Promise<E | AggregateError> {
  try {
    await cleanup();
    return failure;
  } catch (cleanupFailure) {
    const message = failure instanceof Error ? failure.message : String(failure);
    return new AggregateError([failure, cleanupFailure], `${message} (and the clean-up after it failed too)`);
  }
}
