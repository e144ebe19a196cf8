import { isDeepStrictEqual } from 'node:util';
import type { ContainerParts } from '../container-parts.ts';

/**
 * Whether a spare can become a container: it was started as the container would be, and has nothing that cannot be taken along. Its
 * address has to be its own to move, and sockets of the host belong to the old forwarder.
 */
export function fits(spare: ContainerParts, container: ContainerParts): boolean {
  const { engine, record } = container;
  return (
    engine.rung.name === 'root' &&
    record.attachment.networkName !== 'host' &&
    record.published.length === 0 &&
    record.spec.ids.kind === 'host' &&
    isDeepStrictEqual(startOf(spare), startOf(container))
  );
}

/** All that a container was started with, but for what it is known by. As data, so that what is undefined is not there. */
function startOf({ record, service }: ContainerParts): unknown {
  const { name: _, labels: __, spares: ___, detached: ____, env = {}, ...options } = record.options;
  const { waitFor: _____, ...again } = service?.again ?? {};
  const { id, cgroup } = record.spec;
  // A copy thinks that it is the machine that it is a copy of.
  const hostname = options.hostname ?? id.slice(0, 12);
  return JSON.parse(JSON.stringify({ env, ...options, ...again, hostname, limits: cgroup.limits }));
}
