import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { OpaqueAttribute } from '../../files/request.ts';
import { resolveLinks } from '../../files/resolve-links.ts';
import { type Placement, redirected } from '../../files/unpack/placement.ts';
import { MayflyError } from '../../support/error.ts';
import { digestOf } from '../digest.ts';
import { cachedLayer } from './cached-layer.ts';
import type { Layer } from './layer.ts';
import { layerError } from './layer-error.ts';
import type { LayerStore } from './layer-store.ts';
import { lookThrough, type StackedTree } from './stack-view.ts';

/** A placement travels as one argument, of which the kernel takes 128 KiB (execve(2)). */
const MOST_JSON = 100 << 10;
const DIRECTORY_MODE = 0o755;

/**
 * A layer as it is on top of others. Most are the same everywhere. But one may have `var/run/x` without `var/run`, and below
 * that is a link to `/run`: layers are applied one on top of the other within one root (image-spec, layer.md), so the file
 * belongs into `/run`. And a directory that a layer says nothing about is what it is below, `/tmp` for all for example. For
 * these a layer is made that holds what belongs there, and remembered by what it stands on.
 *
 * @param cache directory of what is remembered
 * @throws MayflyError `layer.refused` for a loop of links, `layer.no-space`
 */
export async function placeLayer(
  layers: LayerStore,
  {
    layer,
    below,
    cache,
    signal,
  }: { layer: Layer; below: readonly Layer[]; cache: string; signal?: AbortSignal | undefined },
): Promise<Layer> {
  if (below.length === 0 || impliedBelowRoot(layer).length === 0) return layer;
  const key = placeKey([...below, layer].map(({ diffId }) => diffId));
  const path = join(cache, `${key}.json`);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const build = async () => {
    const place = placementOf(layer, below, layers.opaque);
    return place === undefined
      ? layer
      : await layers.importTar(layers.openTar(layer, { signal }), { place, signal });
  };
  return await cachedLayer(layers, { path, of: layer.diffId, build, signal });
}

/** What the topmost of a stack of layers is remembered by; diffIDs bottom to top, as they were placed. */
export function placeKey(diffIds: readonly string[]): string {
  return digestOf(diffIds.join('\n')).slice('sha256:'.length);
}

/** Where entries of a layer go on top of others; undefined when that is where they are. */
export function placementOf(
  layer: Layer,
  below: readonly Layer[],
  opaque: OpaqueAttribute,
): Placement | undefined {
  const own: StackedTree = { directory: layer.directory, transparent: new Set(impliedBelowRoot(layer)) };
  const trees = [...below, own];
  const look = (path: string) => lookThrough(trees, path, opaque);
  const redirect = new Map<string, string>();
  const adopt = new Map<string, Placement['adopt'][number]>();
  for (const path of impliedBelowRoot(layer)) {
    const real = resolve(path, (at) => look(at)?.target);
    if (real !== redirected(path, redirect)) redirect.set(path, real);
    for (const directory of directoriesOf(real)) {
      const found = look(directory);
      if (found?.stat.isDirectory() && found.tree !== own) {
        const attributes = attributesOf(found.stat, opaque);
        if (attributes !== undefined) adopt.set(directory, { path: directory, ...attributes });
      }
    }
  }
  if (redirect.size === 0 && adopt.size === 0) return undefined;
  return limited({ redirect: [...redirect], adopt: [...adopt.values()] });
}

/** What its root is matters only when something is put on top of it. */
function impliedBelowRoot({ implied = [] }: Layer): string[] {
  return implied.filter((path) => path !== '.');
}

function resolve(path: string, linkAt: (path: string) => string | undefined): string {
  try {
    return resolveLinks(path, linkAt);
  } catch (error) {
    throw layerError(error);
  }
}

/** `./a/b`: `./a` and `./a/b`. */
function directoriesOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, position) => parts.slice(0, position + 2).join('/'));
}

/** Undefined for what a new directory has anyway. Of owners in a user namespace only its root can be told from here. */
function attributesOf(
  { mode, uid, gid }: { mode: bigint; uid: bigint; gid: bigint },
  opaque: OpaqueAttribute,
): { mode: number; uid: number; gid: number } | undefined {
  const isRoot = opaque === 'trusted.overlay.opaque';
  const attributes = {
    mode: Number(mode) & 0o7777,
    uid: isRoot ? Number(uid) : 0,
    gid: isRoot ? Number(gid) : 0,
  };
  const usual = attributes.mode === DIRECTORY_MODE && attributes.uid === 0 && attributes.gid === 0;
  return usual ? undefined : attributes;
}

function limited(placement: Placement): Placement {
  if (Buffer.byteLength(JSON.stringify(placement)) <= MOST_JSON) return placement;
  throw new MayflyError(
    'layer.refused',
    `the layer has ${placement.redirect.length + placement.adopt.length} directories of which only lower layers say what they are`,
    { hint: 'make the archive anew, with entries for its directories' },
  );
}
