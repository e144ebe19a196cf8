import { type ErrorCode, type ErrorDetails, MayflyError } from '../../support/error.ts';

/** A place in a Dockerfile. */
export interface Place {
  /** As the user named it. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** The line itself. */
  readonly text: string;
}

/**
 * Something that is wrong with a Dockerfile, or with a step of it.
 *
 * Codes: `build.syntax`, `build.unknown-instruction`, `build.unsupported`, `build.unknown-stage`, `build.missing-value`,
 * `build.step-failed`, `build.no-such-source`, `build.outside-context`.
 */
export class DockerfileError extends MayflyError {
  readonly file: string;
  readonly line: number;

  constructor(code: ErrorCode, what: string, { place, ...details }: ErrorDetails & { place: Place }) {
    const { file, line, text } = place;
    super(code, `${file}:${line}: ${what}\n  ${line} | ${text}`, details);
    this.file = file;
    this.line = line;
  }
}
