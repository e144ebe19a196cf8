import { existsSync, readFileSync } from 'node:fs';
import { writeJson } from '../../files/json-file.ts';
import type { LockOptions } from '../../kernel/processes/file-lock.ts';
import { once } from '../store/once.ts';
import type { Layer } from './layer.ts';
import type { LayerStore } from './layer-store.ts';

/**
 * A layer that is expensive to make, remembered in the file `path`: made by the first process that wants it, found by all
 * others. When the layer itself is gone, it is made again; with `again` in any case.
 */
export function cachedLayer(
  store: LayerStore,
  {
    path,
    of,
    build,
    again = false,
    ...options
  }: LockOptions & {
    path: string;
    /** diffID of the layer that it is made of; without it, nobody needs it. Default: nobody knows. */
    of?: string;
    build: () => Promise<Layer>;
    again?: boolean;
  },
): Promise<Layer> {
  const lookup = async () =>
    existsSync(path) && !again
      ? store.get((JSON.parse(readFileSync(path, 'utf8')) as { diffId: string }).diffId)
      : undefined;
  const buildAndRemember = async () => {
    const layer = await build();
    writeJson(path, { diffId: layer.diffId, of });
    return layer;
  };
  return once(`${path}.lock`, { lookup, build: buildAndRemember }, options);
}
