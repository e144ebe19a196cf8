import { type ErrorCode, type ErrorDetails, MayflyError } from '../support/error.ts';
import type { LogLine } from './log-line.ts';

/** How a container ended. */
export interface ContainerExit {
  /** 128 + N when signal N ended it. */
  readonly exitCode: number;
  /** True when the kernel killed any process of the container for want of memory under the container's limit. */
  readonly oomKilled: boolean;
}

/** What a container was doing when something about it failed. */
export interface Evidence {
  readonly name: string;
  /** Set when the container has ended. */
  readonly exit?: ContainerExit | undefined;
  /** The last lines of the log, 50 at most. */
  readonly lastLines: readonly LogLine[];
}

/**
 * A container that ended too soon or did not become ready.
 *
 * Codes: `container.exited`, `container.out-of-memory`, `container.unhealthy`, `wait.timeout`.
 */
export class ContainerError extends MayflyError {
  readonly containerName: string;
  readonly exitCode: number | undefined;
  readonly oomKilled: boolean;
  readonly lastLines: readonly LogLine[];

  constructor(
    code: ErrorCode,
    what: string,
    { evidence, ...details }: ErrorDetails & { evidence: Evidence },
  ) {
    super(code, what + renderLines(evidence.lastLines), details);
    this.containerName = evidence.name;
    this.exitCode = evidence.exit?.exitCode;
    this.oomKilled = evidence.exit?.oomKilled ?? false;
    this.lastLines = evidence.lastLines;
  }
}

/** The error for a container that ended while somebody was counting on it. */
export function endedError(evidence: Evidence & { exit: ContainerExit }, doing: string): ContainerError {
  const { exitCode, oomKilled } = evidence.exit;
  if (oomKilled) {
    return new ContainerError(
      'container.out-of-memory',
      `${evidence.name} ran out of memory while ${doing}`,
      {
        evidence,
        hint: 'give it more with the option memory',
      },
    );
  }
  return new ContainerError(
    'container.exited',
    `${evidence.name} exited with code ${exitCode} while ${doing}`,
    {
      evidence,
      hint: 'its last log lines say why',
    },
  );
}

function renderLines(lines: readonly LogLine[]): string {
  if (lines.length === 0) return '\n  it had logged nothing';
  return `\n  last log lines:\n${lines.map(({ stream, text }) => `    ${stream}: ${text}`).join('\n')}`;
}
