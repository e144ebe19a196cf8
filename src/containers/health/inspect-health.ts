import type { ContainerInspectInfo } from 'dockerode';
import type { ContainerHealth } from './health.ts';
import type { HealthCheck } from './health-check.ts';

const NANOSECONDS = 1e6;

/** `State.Health` of Docker's inspect. */
export function inspectHealth({
  status,
  failingStreak,
  log,
}: ContainerHealth): NonNullable<ContainerInspectInfo['State']['Health']> {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map(({ start, end, exitCode, output }) => ({
      Start: start.toISOString(),
      End: end.toISOString(),
      ExitCode: exitCode,
      Output: output,
    })),
  };
}

/** `Config.Healthcheck` of Docker's inspect: what is in force, whether it is the image's or the option's. */
export function inspectHealthCheck(
  check: HealthCheck,
): NonNullable<ContainerInspectInfo['Config']['Healthcheck']> {
  return {
    Test: ['CMD', ...check.argv],
    Interval: check.interval * NANOSECONDS,
    Timeout: check.timeout * NANOSECONDS,
    StartPeriod: check.startPeriod * NANOSECONDS,
    StartInterval: check.startInterval * NANOSECONDS,
    Retries: check.retries,
  };
}
