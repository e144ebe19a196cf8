import type { Service } from '../containers/service.ts';
import type { WaitStrategy } from '../containers/wait/strategy.ts';
import type { CommonOptions, Preset, PresetOptions, PresetStart } from './preset.ts';

/** What a caller gave, sorted: the preset's own options with its defaults, and those of any container. */
export interface SortedOptions<Options> {
  readonly options: Options;
  readonly common: CommonOptions;
}

/** @throws MayflyError `option.invalid` */
export function sortOptions<Options extends object>(
  preset: Preset<Options, object>,
  given: PresetOptions<Options>,
): SortedOptions<Options> {
  const { cache: _, ...rest } = given;
  const options = preset.resolve(rest as Partial<Options>);
  return { options, common: withoutOwn(rest, options) as CommonOptions };
}

/** What a preset tells of its containers, and how a start on what one has written is found to be ready. */
export function presetService<Options extends object>(
  preset: Preset<Options, object>,
  { options, common }: SortedOptions<Options>,
): { service: Service; waitFor: WaitStrategy | undefined } {
  const again = preset.boot === undefined ? undefined : mergeStarts(preset.boot.start(options), common);
  const service: Service = {
    quiesce: async (container) => preset.quiesce?.(container, options),
    warm: async (container) => preset.warm?.(container, options),
    extend: (container) => Object.assign(container, preset.extras(container, options)),
    again,
    origin: { preset: preset.name, version: preset.version, options },
  };
  return { service, waitFor: (again ?? mergeStarts(preset.start(options), common)).waitFor };
}

/** The caller's word counts, except that environments and mounts add up. */
export function mergeStarts(preset: PresetStart, common: CommonOptions): PresetStart {
  return {
    ...preset,
    ...common,
    env: { ...preset.env, ...common.env },
    mounts: [...(preset.mounts ?? []), ...(common.mounts ?? [])],
  };
}

/** What is left of the caller's options when the preset's own are taken out. */
function withoutOwn(given: object, own: object): object {
  return Object.fromEntries(Object.entries(given).filter(([key]) => !(key in own)));
}
