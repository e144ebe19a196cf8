import type { ContainerParts } from '../container-parts.ts';
import { runExec } from '../exec/exec.ts';
import { startExec } from '../exec/start.ts';
import { ContainerHealth } from './health.ts';
import type { HealthCheck } from './health-check.ts';

/** Checks the health of a container from now until its present run ends. */
export function watchHealth(parts: ContainerParts, check: HealthCheck): ContainerHealth {
  return new ContainerHealth({
    check,
    startedAt: new Date(parts.record.startedAt),
    exited: parts.run.exited,
    exec: async (argv, options) =>
      runExec(await startExec(parts, { argv, untold: true }), { ...options, background: true }),
  });
}
