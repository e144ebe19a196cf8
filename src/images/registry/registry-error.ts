import { type ErrorCode, type ErrorDetails, MayflyError } from '../../support/error.ts';

/** What a registry, or the way to it, did wrong. Codes: `registry.*`. */
export class RegistryError extends MayflyError {
  /** Host and perhaps port of the server that was asked. */
  readonly host: string;
  /** HTTP status of its answer; undefined when there was none. */
  readonly status: number | undefined;

  constructor(
    code: ErrorCode & `registry.${string}`,
    message: string,
    { host, status, ...details }: ErrorDetails & { host: string; status?: number | undefined },
  ) {
    super(code, message, details);
    this.host = host;
    this.status = status;
  }
}

/** True where a retry of the same request may end otherwise: the connection broke, or the server was out of sorts. */
export function isPassing(error: unknown): error is RegistryError {
  return (
    error instanceof RegistryError &&
    ['registry.broken-connection', 'registry.stalled', 'registry.server-error'].includes(error.code)
  );
}

/** True where the registry could not be asked at all; an answer, even a refusal, is not that. */
export function isUnreachable(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (code === 'registry.unreachable') return true;
  }
  return false;
}
