import { join } from 'node:path';
import { inheritRoot } from '../files/inherit-root.ts';
import { rootOf } from '../images/layers/layer.ts';
import type { Image } from '../images/store/image.ts';
import { FDS } from '../kernel/program/abi.ts';
import { MayflyError } from '../support/error.ts';
import type { ContainerParts } from './container-parts.ts';
import type { Engine } from './engine.ts';

/**
 * The directory with what a container has written.
 *
 * @throws MayflyError `container.storage-in-memory` where a storage of limited size cannot be reached: it goes when the container
 * ends, and an ordinary user's shim does not hold it
 */
export function upperOf({ engine, record, run }: ContainerParts): string {
  const { spec, name, shimPid } = record;
  if (spec.rootfs.storage === undefined) return join(engine.home.containers, spec.id, 'upper');
  if (run.exit === undefined && spec.ids.kind !== 'user') return `/proc/${shimPid}/fd/${FDS.storage}/upper`;
  throw storageError(name);
}

/** Makes the upper of a new container's directory what the root of the layers is that it comes to lie on. */
export async function layUpper(
  { rung }: Pick<Engine, 'rung'>,
  { directory, layers }: { directory: string; layers: Image['layers'] },
): Promise<void> {
  const root = rootOf(layers);
  if (root === undefined) return;
  await inheritRoot({ from: root.directory, to: join(directory, 'upper'), launcher: rung.launcher });
}

/** What has been written to a storage of limited size is asked for where nobody holds it. */
export function storageError(name: string): MayflyError {
  return new MayflyError(
    'container.storage-in-memory',
    `what ${name} has written cannot be kept, because it has a storageSize`,
    { hint: 'leave storageSize out, or, as root, commit the container while it runs' },
  );
}
