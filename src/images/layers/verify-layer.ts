import { lstatSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { MayflyError } from '../../support/error.ts';
import type { Layer } from './layer.ts';
import type { LayerStore } from './layer-store.ts';

/**
 * Reads a layer's tree again and compares it with its diffID: as it is, where the tree was packed; where a tar was unpacked,
 * with what that tar unpacks to once more, which takes room for it meanwhile. Without the tar, and for layers of mayfly 0.1,
 * it is only looked whether all of it can be read.
 *
 * @param openTar the tar it came from, compressed or not; undefined or giving undefined when it is not there any more
 * @throws MayflyError `layer.corrupt`, `layer.no-space`, `layer.*`
 */
export async function verifyLayer(
  layers: LayerStore,
  layer: Layer,
  {
    openTar,
    signal,
  }: { openTar?: (() => Readable | undefined) | undefined; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { diffId, directory } = layer;
  if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw corrupt(diffId, 'its tree is no directory');
  const tree = await layers.digestTree(layer, { signal });
  const form = layers.formOf(diffId);
  if (form === 'packed' && tree !== diffId) throw corrupt(diffId, 'its files are not what they were');
  const tar = form === 'unpacked' ? openTar?.() : undefined;
  if (tar === undefined) return;
  const anew = await layers.unpackAside(tar, { signal });
  if (anew.diffId !== diffId) throw corrupt(diffId, `the blob that it came from is ${anew.diffId} by now`);
  if (anew.tree !== tree) throw corrupt(diffId, 'its files are not what the blob that it came from holds');
}

function corrupt(diffId: string, why: string): MayflyError {
  return new MayflyError('layer.corrupt', `the layer ${diffId} is damaged: ${why}`, {
    hint: 'remove the images that stand on it, and pull or import them again',
  });
}
