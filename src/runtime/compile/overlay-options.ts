import { MayflyError } from '../../support/error.ts';
import type { RootfsSpec } from '../spec/container-spec.ts';

/** mount(2) reads a page of options, the last byte of which ends them, and says nothing of what it leaves out. */
const MOST_BYTES = 4095;

/**
 * What an overlay is mounted with: the layers, bottom to top, below the upper.
 *
 * `volatile`: nothing is flushed to disk, so fsync costs nothing; a container does not outlive the machine anyway.
 *
 * @param more further options
 * @throws MayflyError `container.too-many-layers`: some 95 snapshots of snapshots, or 145 layers of images
 */
export function overlayOptions(
  { layers, upper, work }: Pick<RootfsSpec, 'layers' | 'upper' | 'work'>,
  more: readonly string[],
): string {
  // Overlay wants the topmost first.
  const lower = layers.toReversed().join(':');
  const options = [`lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${work}`, 'volatile', ...more].join();
  if (Buffer.byteLength(options) <= MOST_BYTES) return options;
  throw new MayflyError(
    'container.too-many-layers',
    `no container can be mounted on ${layers.length} layers: their names take ${options.length} bytes, and mount(2) reads ${MOST_BYTES}`,
    { hint: 'take the snapshot of a container that stands on fewer snapshots of snapshots' },
  );
}
