import { createWriteStream, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileError } from '../files/file-error.ts';
import { inheritRoot } from '../files/inherit-root.ts';
import { startFileWorker } from '../files/run-worker.ts';
import { type MountedLayers, mountLayers } from '../runtime/launch/mount-layers.ts';
import type { ContainerParts } from './container-parts.ts';
import { copyError } from './copy/copy-error.ts';
import { standingStill } from './pause.ts';
import { openRecordedImage } from './recorded-image.ts';
import { upperOf } from './upper.ts';

export interface ExportOptions {
  /**
   * Stop all processes while what the container has written is copied, so that the tar shows one instant. False:
   * files may be torn that are being written. Default: true.
   */
  readonly pause?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Writes the file system of a container as a tar: its image and what it has written, in one tree. What is mounted in it is not
 * part, as in `docker export`. The container goes on while the tar is written.
 *
 * @param to a path of the host, which is replaced, and removed again when it fails; or a stream, which is ended
 * @throws MayflyError `cgroup.cannot-freeze`, `wait.timeout`, `layer.*`, `container.layer-gone`, `container.storage-in-memory`,
 * `copy.no-such-path`, `copy.no-space`
 */
export async function exportContainer(
  parts: ContainerParts,
  to: string | Writable,
  { pause = true, signal }: ExportOptions = {},
): Promise<void> {
  const { engine, record } = parts;
  signal?.throwIfAborted();
  using _hold = await engine.images.hold({ signal });
  const { layers } = openRecordedImage(engine, record.image);
  // 1. A copy, because what is mounted for somebody to write may not be mounted elsewhere at the same time.
  const copy = () => engine.images.layers.copyAside(upperOf(parts), { signal });
  await using written = await (pause ? standingStill(parts, copy) : copy());
  // 2. One tree of it and the layers, which nobody else sees.
  using tree = await mountTree(
    parts,
    [...layers.map(({ directory }) => directory), join(written.path, 'fs')],
    written.path,
  );
  try {
    // 3. Its tar.
    const { output } = startFileWorker(
      { operation: 'copy-out', path: '/', name: '' },
      { root: tree.fd, signal, launcher: engine.rung.launcher },
    );
    await pipeline(output, typeof to === 'string' ? createWriteStream(to) : to, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    if (typeof to === 'string') await rm(to, { force: true });
    throw copyError(fileError(error), `exporting ${record.name}`);
  }
}

/** A descriptor of trees as one, the lowest first. What overlay needs for itself is made in `scratch`. */
async function mountTree(
  { engine }: ContainerParts,
  trees: readonly string[],
  scratch: string,
): Promise<MountedLayers> {
  const { layers: directory } = engine.home;
  const below = (path: string) => relative(directory, path);
  const own = (name: string) => {
    mkdirSync(join(scratch, name), { mode: 0o755 });
    return below(join(scratch, name));
  };
  const upper = own('upper');
  await inheritRoot({
    from: trees.at(-1)!,
    to: join(scratch, 'upper'),
    launcher: engine.rung.launcher,
  });
  return mountLayers(
    engine.binary,
    {
      directory,
      layers: trees.map(below),
      upper,
      work: own('work'),
      storage: undefined,
      target: own('rootfs'),
    },
    engine.rung.userns(),
  );
}
