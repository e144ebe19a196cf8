import type { Container } from '../container.ts';
import { collectEvidence } from '../evidence.ts';
import { runExec } from '../exec/exec.ts';
import { startExec } from '../exec/start.ts';
import type { WaitTarget } from './strategy.ts';

/** What strategies see of a container: its present run. */
export function waitTarget(container: Container): WaitTarget {
  const { name, host, ipAddress, ports, parts, startedAt } = container;
  const { pid, exited, health } = parts.run;
  return {
    name,
    ipAddress,
    ports,
    endpoint: (port) => ({ host, port: container.getMappedPort(port) }),
    pid,
    exited,
    health,
    // The log of a container that was restarted holds the earlier runs, too.
    logs: (options) => container.logs({ since: startedAt, ...options }),
    // Nobody wants to hear of it each time.
    exec: async (argv, options = {}) =>
      runExec(await startExec(parts, { argv, ...options, untold: true }), options),
    evidence: () => collectEvidence(parts),
  };
}
