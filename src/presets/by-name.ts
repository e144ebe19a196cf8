import { MayflyError } from '../support/error.ts';
import type { Preset, Presets } from './preset.ts';

/** The presets that come with the package, loaded when they are asked for. */
const BUILT_IN: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = {
  postgres: () => import('mayfly/presets/postgres'),
  redis: () => import('mayfly/presets/redis'),
};

export type PresetName = keyof Presets;

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
