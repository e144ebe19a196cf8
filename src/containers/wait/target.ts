import type { Container } from '../container.ts';
import { collectEvidence } from '../evidence.ts';
import type { WaitTarget } from './strategy.ts';

/** What strategies see of a container: its present run. */
export function waitTarget(container: Container): WaitTarget {
  const { name, ipAddress, ports, parts } = container;
  const { pid, exited, health } = parts.run;
  return {
    name,
    ipAddress,
    ports,
    pid,
    exited,
    health,
    logs: (options) => container.logs(options),
    exec: (argv, options) => container.exec(argv, options),
    evidence: () => collectEvidence(parts),
  };
}
