import { nameBytes } from '../files/tar/entry.ts';
import { TarReader } from '../files/tar/reader.ts';
import type { LayerTree } from '../images/layers/layer.ts';
import { LayersView } from '../images/layers/layers-view.ts';
import type { ContainerParts } from './container-parts.ts';
import type { Engine } from './engine.ts';
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
  const made = new Set([
    ...MOUNTED,
    ...[...record.spec.files, ...record.spec.mounts].map(({ target }) => target),
  ]);
  const changes = await changesIn(engine, { tree: upperOf(parts), below: layers });
  return changes.filter(({ kind, path }) => kind !== 'added' || !made.has(path));
}

/** What an overlay's upper makes of the trees below it, by path. */
export async function changesIn(
  { rung, images }: Engine,
  { tree, below }: { tree: string; below: readonly LayerTree[] },
): Promise<FileChange[]> {
  const view = new LayersView(below, rung.opaque);
  const reader = new TarReader(images.layers.openTar({ directory: tree }));
  const changes: FileChange[] = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const path = `/${nameBytes(entry.name).toString('utf8').replace(/\/$/, '')}`;
    // The root, which `docker diff` says nothing of.
    if (path === '/.') continue;
    const name = path.slice(path.lastIndexOf('/') + 1);
    // What was in the directory is told by what it holds now.
    if (name === OPAQUE) continue;
    if (name.startsWith(WHITEOUT)) {
      const directory = path.slice(0, path.length - name.length);
      changes.push({ kind: 'deleted', path: directory + name.slice(WHITEOUT.length) });
    } else changes.push({ kind: view.lstat(path) === undefined ? 'added' : 'changed', path });
  }
  return changes;
}
