import { isDeepStrictEqual } from 'node:util';
import type { ContainerParts } from '../container-parts.ts';
import { withoutHostPort } from '../ports.ts';

/**
 * Whether a spare can become a container: it was started as the container would be, and has nothing that cannot be taken along. Its
 * address has to be its own to move, and its published ports have to be there still, which they are as long as it runs.
 */
export function fits(spare: ContainerParts, container: ContainerParts): boolean {
  const { record, run } = container;
  return (
    record.attachment.networkName !== 'host' &&
    (record.published.length === 0 || run.exit === undefined) &&
    isDeepStrictEqual(listenersOf(spare), listenersOf(container)) &&
    record.spec.ids.kind !== 'private' &&
    isDeepStrictEqual(startOf(spare), startOf(container))
  );
}

/** All that a container was started with, but for what it is known by. As data, so that what is undefined is not there. */
function startOf({ record, service }: ContainerParts): unknown {
  const { name: _, labels: __, spares: ___, detached: ____, env = {}, ports, ...options } = record.options;
  const { waitFor: _____, ...again } = service?.again ?? {};
  const { id, cgroup } = record.spec;
  // A copy thinks that it is the machine that it is a copy of.
  const hostname = options.hostname ?? id.slice(0, 12);
  return JSON.parse(
    JSON.stringify({
      env,
      ports: ports?.map(withoutHostPort),
      ...options,
      ...again,
      hostname,
      limits: cgroup.limits,
    }),
  );
}

/** A spare is given the container's sockets one for one. */
const listenersOf = ({ record }: ContainerParts) =>
  record.published.flatMap(({ container, hostIps }) => hostIps.map((hostIp) => ({ container, hostIp })));
