import { join } from 'node:path';
import type { MountStub } from '../files/request.ts';
import type { Layer } from '../images/layers/layer.ts';
import { MayflyError } from '../support/error.ts';
import type { Container } from './container.ts';
import { endContainer } from './stop.ts';
import { storageError } from './upper.ts';

/**
 * Ends a container in order and keeps what it wrote as a layer, without `stubs`, instead of removing it.
 *
 * @throws MayflyError `container.unclean-stop` when it had to be killed: what it wrote may be torn then;
 * `container.storage-in-memory`
 */
export async function sealContainer(
  container: Container,
  { signal, stubs = [] }: { signal?: AbortSignal; stubs?: readonly MountStub[] } = {},
): Promise<Layer> {
  const { engine, record } = container.parts;
  if (record.spec.rootfs.storage !== undefined) throw storageError(container.name);
  const exit = await endContainer(container.parts);
  if (exit.exitCode === 137) {
    throw new MayflyError(
      'container.unclean-stop',
      `${container.name} did not stop in time and was killed, so it is not kept`,
      {
        hint: 'give it a longer stopTimeout',
      },
    );
  }
  const layer = await engine.images.layers.commitUpper(
    join(engine.home.containers, record.spec.id, 'upper'),
    { stubs, ...(signal ? { signal } : {}) },
  );
  await container.stop();
  return layer;
}
