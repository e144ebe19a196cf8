import type { Duration } from '../../support/duration.ts';
import type { ContainerExit, Evidence } from '../container-error.ts';
import type { ExecOptions, ExecResult } from '../exec/exec.ts';
import type { ContainerHealth } from '../health/health.ts';
import type { LogLine } from '../log-line.ts';
import type { LogsOptions } from '../logs.ts';

/** What a strategy may look at; a started container, seen from outside. */
export interface WaitTarget {
  readonly name: string;
  /** Host pid of a process in the container's namespaces. */
  readonly pid: number;
  readonly ipAddress: string;
  /** The ports that the options or the image name. */
  readonly ports: readonly number[];
  /** Resolves when the container has ended. */
  readonly exited: Promise<ContainerExit>;
  /** Undefined for a container without a health check. */
  readonly health: ContainerHealth | undefined;
  /** Where a port of the container is reached from here. */
  endpoint(port: number): { readonly host: string; readonly port: number };
  logs(options?: LogsOptions): AsyncIterable<LogLine>;
  /** How it stands with the container and what it logged last, for a ContainerError. */
  evidence(): Promise<Evidence>;
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
}

/** How to tell that a container is ready. Made by the functions of {@link Wait}. */
export interface WaitStrategy {
  /** What is awaited, in the words of an error message: `port 5432 to listen`. */
  readonly what: string;
  /** Default: 60 seconds. */
  readonly timeout: Duration;
  /**
   * True when `ready` may still resolve after the container's end, and settles by itself soon after it. Default: false, the
   * container's end is the end of the wait.
   */
  readonly outlivesContainer?: boolean;
  /** Resolves when ready; gives up at once when `signal` aborts. A {@link NotReadyError} is told in the message then. */
  ready(target: WaitTarget, signal: AbortSignal): Promise<void>;
}

export interface WaitOptions {
  /** How long to wait at most, as milliseconds or `'30s'`. Default: 60 seconds. Then `wait.timeout` is thrown. */
  readonly timeout?: Duration;
}

export const DEFAULT_TIMEOUT: Duration = '60s';

/** What was wrong when a strategy looked last. */
export class NotReadyError extends Error {}
