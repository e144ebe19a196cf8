import type { Container } from '../containers/container.ts';
import { openEngine } from '../containers/engine.ts';
import { isPresetName, presetByName } from '../presets/by-name.ts';
import type { CommonOptions } from '../presets/preset.ts';
import type { Output } from './output.ts';
import { sayWhere } from './say-where.ts';

/**
 * Whether `run NAME` means a preset: it is the name of one, no image of the local store is called so, and nothing is to be run that
 * only an image can be asked for.
 */
export function isPreset(name: string, { command, entrypoint, pull }: CommonOptions): boolean {
  if (!isPresetName(name) || command !== undefined || entrypoint !== undefined) return false;
  return pull !== 'always' && openEngine().images.lookup(name) === undefined;
}

/** Starts it, and says where it is reached. */
export async function startByName(
  name: string,
  { options, output }: { options: CommonOptions; output: Output },
): Promise<Container> {
  // Few containers are started by one.
  const [{ startPreset }, preset] = await Promise.all([
    import('../presets/start-preset.ts'),
    presetByName(name),
  ]);
  const container = await startPreset(preset, options);
  sayWhere(container, output);
  return container;
}
