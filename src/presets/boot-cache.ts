import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../containers/engine.ts';
import { sealContainer } from '../containers/seal.ts';
import { startContainer } from '../containers/start.ts';
import { cachedLayer } from '../images/layers/cached-layer.ts';
import type { Layer } from '../images/layers/layer.ts';
import type { Image } from '../images/store/image.ts';
import type { Preset } from './preset.ts';

interface Booted<Options extends object> {
  readonly preset: Preset<Options, object>;
  readonly image: Image;
  readonly options: Options;
  /** What the preset's boot gives for these options. */
  readonly key: unknown;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The image with what the preset's first start initialises as its top layer.
 *
 * Whoever asks first makes the layer; others at the same time wait for it. It is keyed by the image, the preset's version and the
 * options that matter, so nothing stale is ever found.
 */
export async function bootedImage<Options extends object>(
  engine: Engine,
  booted: Booted<Options>,
): Promise<Image> {
  const { preset, image, signal } = booted;
  const digest = createHash('sha256')
    .update(JSON.stringify([image.id, preset.name, preset.version, booted.key]))
    .digest('hex');
  const directory = join(engine.home.cache, 'boot');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `${digest}.json`);
  const layer = await cachedLayer(engine.images.layers, { path, signal, build: () => firstStart(booted) });
  return { ...image, layers: [...image.layers, layer] };
}

async function firstStart<Options extends object>({
  preset,
  image,
  options,
  signal,
}: Booted<Options>): Promise<Layer> {
  await using container = await startContainer({
    image,
    ...preset.start(options),
    ...(signal ? { signal } : {}),
  });
  await preset.initialise?.(container, options);
  await preset.quiesce?.(container, options);
  // Awaited here: the container is taken away at the end of this block.
  return await sealContainer(container, signal ? { signal } : {});
}
