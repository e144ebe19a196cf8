import { MayflyError } from '../support/error.ts';
import type { Preset, Presets } from './preset.ts';

/** The presets that come with the package, loaded when they are asked for. */
const BUILT_IN: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = {
  postgres: () => import('mayfly/presets/postgres'),
  redis: () => import('mayfly/presets/redis'),
};

export interface PresetSummary {
  readonly name: string;
  /** What its image is called in a registry. */
  readonly image: string;
  /** Ports that it listens on. */
  readonly ports: readonly number[];
  readonly description: string;
}

export type PresetName = keyof Presets;

export function isPresetName(name: string): boolean {
  return Object.hasOwn(BUILT_IN, name);
}

/** All presets that come with the package, by name. */
export async function listPresets(): Promise<PresetSummary[]> {
  const presets = await Promise.all(Object.keys(BUILT_IN).toSorted().map(presetByName));
  return presets.map(({ name, image, description = '' }) => ({
    name,
    image: image.reference,
    ports: Object.keys(image.recipe.config.ExposedPorts ?? {}).map((port) => Number.parseInt(port, 10)),
    description,
  }));
}

/**
 * Loads a preset by its name.
 *
 * @throws MayflyError `preset.unknown` naming those that there are
 */
export async function presetByName(name: string): Promise<Preset<object, object>> {
  const load = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
  if (load === undefined) {
    throw new MayflyError('preset.unknown', `no preset is called ${JSON.stringify(name)}`, {
      hint: `there are: ${Object.keys(BUILT_IN).join(', ')}; any other image is started with { image: '…' }`,
    });
  }
  return (await load())[name] as Preset<object, object>;
}
