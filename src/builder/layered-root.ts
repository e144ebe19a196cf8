import { mkdirSync, mkdtempSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Engine } from '../containers/engine.ts';
import { inheritRoot } from '../files/inherit-root.ts';
import { removeTree } from '../files/remove-tree.ts';
import { type Layer, type LayerTree, rootOf } from '../images/layers/layer.ts';
import { mountLayers } from '../runtime/launch/mount-layers.ts';

/** Layers as one tree with room on top for what is written: a container's root file system without a container. */
export interface LayeredRoot extends AsyncDisposable {
  /** A descriptor of the tree, for the file worker. */
  readonly fd: number;
  /** Keeps what was written as a layer. */
  commit(): Promise<Layer>;
}

/** `scratch` is a directory of the caller's, on the file system of the layers; what is made in it goes with the root. */
export async function openLayeredRoot(
  { home, images, binary, rung }: Engine,
  {
    layers,
    scratch,
    signal,
  }: { layers: readonly LayerTree[]; scratch: string; signal: AbortSignal | undefined },
): Promise<LayeredRoot> {
  const directory = mkdtempSync(join(scratch, 'root-'));
  const below = (name: string) => relative(home.layers, join(directory, name));
  for (const name of ['upper', 'work', 'rootfs', 'empty']) mkdirSync(join(directory, name), { mode: 0o755 });
  const root = rootOf(layers);
  const upper = join(directory, 'upper');
  if (root !== undefined) await inheritRoot({ from: root.directory, to: upper, launcher: rung.launcher });
  const rootfs = {
    directory: home.layers,
    // Overlay wants one at least: a stage from scratch stands on an empty one.
    layers:
      layers.length === 0 ? [below('empty')] : layers.map((layer) => relative(home.layers, layer.directory)),
    upper: below('upper'),
    work: below('work'),
    storage: undefined,
    target: below('rootfs'),
  };
  const mounted = await mountLayers(binary, rootfs, rung.userns());
  return {
    fd: mounted.fd,
    commit: () => images.layers.commitUpper(upper, { signal }),
    async [Symbol.asyncDispose]() {
      mounted[Symbol.dispose]();
      await removeTree(directory, rung.launcher);
    },
  };
}
