import type { HealthCheck } from './health-check.ts';

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

/** One run of the probe. */
export interface ProbeResult {
  readonly start: Date;
  readonly end: Date;
  /** -1 when the probe could not be run, or was killed because it took too long. */
  readonly exitCode: number;
  /** What it wrote, at most 4096 bytes. */
  readonly output: string;
}

export interface HealthState {
  readonly status: HealthStatus;
  /** Failures in a row that count. */
  readonly failingStreak: number;
  /** The last five, oldest first. */
  readonly log: readonly ProbeResult[];
  /** Milliseconds on the clock of the results when a failure counted last; that of the start at first. */
  readonly countedAt: number;
}

const KEPT = 5;

export function initialHealth(startedAt: Date): HealthState {
  return { status: 'starting', failingStreak: 0, log: [], countedAt: startedAt.getTime() };
}

/**
 * The state after one more probe, by Docker's rules (moby daemon/health.go, handleProbeResult).
 *
 * Until the first success there are more probes than Docker makes, so that it is noticed early. Of their failures one an interval
 * counts, as Docker's would, and none of the start period: nothing is unhealthy earlier than there.
 */
export function afterProbe(
  state: HealthState,
  { check, startedAt, result }: { check: HealthCheck; startedAt: Date; result: ProbeResult },
): HealthState {
  const log = [...state.log, result].slice(-KEPT);
  if (result.exitCode === 0) return { ...state, status: 'healthy', failingStreak: 0, log };
  const now = result.end.getTime();
  if (state.status === 'starting') {
    const inStartPeriod = now - startedAt.getTime() < check.startPeriod;
    if (inStartPeriod || now - state.countedAt < check.interval) return { ...state, log };
  }
  const failingStreak = state.failingStreak + 1;
  const status = failingStreak >= check.retries ? 'unhealthy' : state.status;
  return { status, failingStreak, log, countedAt: now };
}
