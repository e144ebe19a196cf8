import type { Duration } from '../../support/duration.ts';
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
  logs(options?: LogsOptions): AsyncIterable<LogLine>;
}

/** How to tell that a container is ready. Made by the functions of {@link Wait}. */
export interface WaitStrategy {
  /** What is awaited, in the words of an error message: `port 5432 to listen`. */
  readonly what: string;
  /** Default: 60 seconds. */
  readonly timeout: Duration;
  /** Resolves when ready; gives up at once when `signal` aborts. */
  ready(target: WaitTarget, signal: AbortSignal): Promise<void>;
}

export interface WaitOptions {
  /** How long to wait at most, as milliseconds or `'30s'`. Default: 60 seconds. Then `wait.timeout` is thrown. */
  readonly timeout?: Duration;
}

export const DEFAULT_TIMEOUT: Duration = '60s';
