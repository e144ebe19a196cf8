import type { Container } from '../containers/container.ts';
import { openEngine } from '../containers/engine.ts';
import type { Service } from '../containers/service.ts';
import { startContainer } from '../containers/start.ts';
import { withCleanup } from '../support/error.ts';
import { bootedImage } from './boot-cache.ts';
import { findImage } from './image-source.ts';
import type { CommonOptions, Preset, PresetOptions, PresetStart } from './preset.ts';

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
  const { cache = true, ...rest } = given;
  const options = preset.resolve(rest as Partial<Options>);
  const common = withoutOwn(rest, options) as CommonOptions;
  const { signal } = common;
  // Layers that were just made have no name yet, or none but in this process.
  using _hold = await engine.images.hold({ signal });
  const image = await findImage(engine, { preset, signal });
  const { boot } = preset;
  const key = cache ? boot?.key(options) : undefined;
  const again = boot === undefined ? undefined : merge(boot.start(options), common);
  const isCached = boot !== undefined && key !== undefined;
  const container = isCached
    ? await startContainer({
        image: await bootedImage(engine, { preset, image, options, key, signal }),
        ...merge(boot.start(options), common),
      })
    : await startContainer({ image, ...merge(preset.start(options), common) });
  const service: Service = {
    quiesce: async (container) => preset.quiesce?.(container, options),
    extend: (container) => Object.assign(container, preset.extras(container, options)),
    again,
  };
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

/** What is left of the caller's options when the preset's own are taken out. */
function withoutOwn(given: object, own: object): object {
  return Object.fromEntries(Object.entries(given).filter(([key]) => !(key in own)));
}

/** The caller's word counts, except that environments and mounts add up. */
function merge(preset: PresetStart, common: CommonOptions): PresetStart {
  return {
    ...preset,
    ...common,
    env: { ...preset.env, ...common.env },
    mounts: [...(preset.mounts ?? []), ...(common.mounts ?? [])],
  };
}
