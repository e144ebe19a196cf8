import type { Container } from '../containers/container.ts';
import type { ContainerOptions } from '../containers/container-options.ts';
import { startContainer as startFromImage } from '../containers/start.ts';
import { presetByName } from './by-name.ts';
import type { Preset, PresetOptions, Presets } from './preset.ts';
import { startPreset } from './start-preset.ts';

/** The own options of a preset. */
export type OptionsOf<P> = P extends Preset<infer Options, infer _> ? Options : never;
/** What a preset's handle has beyond a container's. */
export type ExtrasOf<P> = P extends Preset<infer _, infer Extras> ? Extras : never;

/**
 * Starts a container and resolves when it is ready.
 *
 * By a preset's name (`'postgres'`), by a preset of one's own, or by an image. It is gone when `stop` has resolved, when an `await
 * using` block ends, or when this process ends, however that comes about.
 *
 * @throws MayflyError `option.invalid`, `preset.unknown`, `image.not-found`, `registry.*`, `container.name-taken`,
 * `container.bind-source-missing`, `container.command-not-found`, `container.command-not-executable`,
 * `container.exited`, `container.out-of-memory`, `wait.timeout`, `cgroup.*`, `network.*`, `recipe.*`, `host.*`
 */
export function startContainer(options: ContainerOptions): Promise<Container>;
export function startContainer<Name extends keyof Presets>(
  preset: Name,
  options?: PresetOptions<OptionsOf<Presets[Name]>>,
): Promise<Container & ExtrasOf<Presets[Name]>>;
export function startContainer<Options extends object, Extras extends object>(
  preset: Preset<Options, Extras>,
  options?: PresetOptions<Options>,
): Promise<Container & Extras>;
export async function startContainer(
  what: string | ContainerOptions | Preset<object, object>,
  options: PresetOptions<object> = {},
): Promise<Container> {
  if (typeof what === 'string') return startPreset(await presetByName(what), options);
  if (typeof what === 'object' && what !== null && 'resolve' in what) return startPreset(what, options);
  return startFromImage(what as ContainerOptions);
}
