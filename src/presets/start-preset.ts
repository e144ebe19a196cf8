import type { Container } from '../containers/container.ts';
import { openEngine } from '../containers/engine.ts';
import { startContainer } from '../containers/start.ts';
import { withCleanup } from '../support/error.ts';
import { bootedImage } from './boot-cache.ts';
import { findImage } from './image-source.ts';
import type { Preset, PresetOptions } from './preset.ts';
import { mergeStarts, presetService, sortOptions } from './preset-service.ts';

/**
 * Starts a preset's container: finds its image, has it initialised once, starts on the result.
 *
 * @throws MayflyError as startContainer does; `recipe.*` when the image has to be made and cannot be
 */
export async function startPreset<Options extends object, Extras extends object>(
  preset: Preset<Options, Extras>,
  given: PresetOptions<Options> = {},
): Promise<Container & Extras> {
  const engine = openEngine();
  const sorted = sortOptions(preset, given);
  const { options, common } = sorted;
  const { signal } = common;
  // Layers that were just made have no name yet, or none but in this process.
  using _hold = await engine.images.hold({ signal });
  const image = await findImage(engine, { preset, signal });
  const { boot } = preset;
  const key = given.cache === false ? undefined : boot?.key(options);
  const isCached = boot !== undefined && key !== undefined;
  const container = isCached
    ? await startContainer({
        image: await bootedImage(engine, { preset, image, options, key, signal }),
        ...mergeStarts(boot.start(options), common),
      })
    : await startContainer({ image, ...mergeStarts(preset.start(options), common) });
  const { service } = presetService(preset, sorted);
  container.parts.service = service;
  if (!isCached) {
    try {
      await preset.initialise?.(container, options);
    } catch (error) {
      throw await withCleanup(error, () => container.stop());
    }
  }
  service.extend(container);
  return container as Container & Extras;
}
