import type { Container } from '../container.ts';
import { collectEvidence } from '../evidence.ts';
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
    exec: (argv, options) => container.exec(argv, options),
    evidence: () => collectEvidence(parts),
  };
}
