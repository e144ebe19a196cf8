import type { Container } from '../container.ts';
import type { ContainerOptions } from '../container-options.ts';
import { withoutHostPort } from '../ports.ts';
import { openRecordedImage } from '../recorded-image.ts';
import type { SnapshotParts, SnapshotStartOptions } from './snapshot.ts';

/** Starts a container on a snapshot. */
export async function startFromSnapshot(
  { engine, record, service, waitFor }: SnapshotParts,
  options: SnapshotStartOptions,
): Promise<Container> {
  const startContainer = await starter();
  // No garbage is collected between here and the new container's record.
  using _hold = await engine.images.hold({ signal: options.signal });
  const { name: _, ports, ...recorded } = record.options;
  const container = await startContainer({
    ...recorded,
    // A copy of a machine thinks that it is that machine.
    hostname: recorded.hostname ?? record.container.id.slice(0, 12),
    ...(ports === undefined ? {} : { ports: ports.map(withoutHostPort) }),
    waitFor: service?.again?.waitFor ?? waitFor,
    ...options,
    env: { ...recorded.env, ...options.env },
    image: openRecordedImage(engine, record.image),
  } as ContainerOptions);
  container.parts.service = service;
  service?.extend(container);
  return container;
}

/** Only when it is asked for: a container's handle leads here, and a start leads to a container's handle. */
async function starter() {
  // On its own, because tsc does not rewrite the name of a file that is imported where something is used up (`using`).
  const { startContainer } = await import('../start.ts');
  return startContainer;
}
