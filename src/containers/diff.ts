import { nameBytes } from '../files/tar/entry.ts';
import { TarReader } from '../files/tar/reader.ts';
import { LayersView } from '../images/layers/layers-view.ts';
import type { ContainerParts } from './container-parts.ts';
import { openRecordedImage } from './recorded-image.ts';
import { upperOf } from './upper.ts';

/** One path that a container has added, changed or deleted, as compared with its image. */
export interface FileChange {
  readonly kind: 'added' | 'changed' | 'deleted';
  /** Absolute, in the container. */
  readonly path: string;
}

/** Whiteouts of a layer's tar (image-spec, layer.md). */
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** What every container has mounted, whatever its image has there. */
const MOUNTED = ['/proc', '/sys', '/dev'];

/**
 * What a container has written, by path. A directory in which something changed has changed. Mount points that the runtime has made
 * are left out.
 *
 * @throws MayflyError `container.layer-gone`, `container.storage-in-memory`, `layer.*`
 */
export async function diffContainer(parts: ContainerParts): Promise<FileChange[]> {
  const { engine, record } = parts;
  const { layers } = openRecordedImage(engine, record.image);
  const below = new LayersView(layers, engine.rung.opaque);
  const made = new Set([
    ...MOUNTED,
    ...[...record.spec.files, ...record.spec.mounts].map(({ target }) => target),
  ]);
  const reader = new TarReader(engine.images.layers.openTar({ directory: upperOf(parts) }));
  const changes: FileChange[] = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const path = `/${nameBytes(entry.name).toString('utf8').replace(/\/$/, '')}`;
    const name = path.slice(path.lastIndexOf('/') + 1);
    // What was in the directory is told by what it holds now.
    if (name === OPAQUE) continue;
    if (name.startsWith(WHITEOUT)) {
      const directory = path.slice(0, path.length - name.length);
      changes.push({ kind: 'deleted', path: directory + name.slice(WHITEOUT.length) });
    } else if (below.lstat(path) !== undefined) changes.push({ kind: 'changed', path });
    else if (!made.has(path)) changes.push({ kind: 'added', path });
  }
  return changes;
}
