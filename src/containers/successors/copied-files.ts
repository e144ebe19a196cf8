import { posix } from 'node:path';
import { LayersView } from '../../images/layers/layers-view.ts';
import { listInRoot, statInRoot, withDirectory } from '../../kernel/mounts/stat-in-root.ts';
import type { ContainerParts } from '../container-parts.ts';
import { openRecordedImage } from '../recorded-image.ts';
import { upperOf } from '../upper.ts';

/** What is looked at, at most, and what is worth copying ahead of its use: whatever is larger may have been written to by chance. */
const MOST_ENTRIES = 1000;
const MOST_FILES = 64;
const MOST_BYTES = 1 << 20;

/**
 * The files of its layers that a container has written to, or has replaced: absolute paths. Not the large ones, and of many the first.
 *
 * @throws MayflyError `container.layer-gone`, `container.storage-in-memory`
 */
export function copiedFiles(parts: ContainerParts): string[] {
  const { engine, record } = parts;
  const layers = new LayersView(openRecordedImage(engine, record.image).layers, engine.rung.opaque);
  const isBelow = (path: string) => layers.lstat(path)?.isFile() === true;
  return withDirectory(upperOf(parts), (upper) => {
    const found: string[] = [];
    const waiting = ['/'];
    for (let looked = 0; looked < MOST_ENTRIES && found.length < MOST_FILES; looked += 1) {
      const path = waiting.shift();
      if (path === undefined) break;
      const stats = statInRoot(upper, path);
      if (stats?.isDirectory())
        waiting.push(...listInRoot(upper, path).map((name) => posix.join(path, name)));
      else if (stats?.isFile() && stats.size <= MOST_BYTES && isBelow(path)) found.push(path);
    }
    return found;
  });
}
