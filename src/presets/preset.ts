import type { Container } from '../containers/container.ts';
import type { ContainerOptions } from '../containers/container-options.ts';
import type { Recipe } from './recipe/recipe.ts';

/** Options of a container that every preset accepts beside its own; the image is the preset's. */
export type CommonOptions = Omit<ContainerOptions, 'image'>;

/** What a preset adds to a start. */
export type PresetStart = Partial<Omit<ContainerOptions, 'image'>>;

/** How a start on what an earlier one has initialised goes, so that the expensive part is done once. */
export interface Boot<Options> {
  /**
   * The options that the result depends on; the cache is keyed by them, the image and the preset's version. Undefined when with
   * these options there is nothing worth keeping.
   */
  key(options: Options): unknown;
  /** A start on what the first one wrote. */
  start(options: Options): PresetStart;
}

/**
 * A named service: data, and a few functions from its options to a container's.
 *
 * `Options` are the preset's own, all optional to the caller; `Extras` is what its handle has beyond a container's.
 */
export interface Preset<Options extends object, Extras extends object> {
  readonly name: string;
  /** What it is, in a few words, for lists. Default: nothing is said. */
  readonly description?: string;
  /** Goes up when the same options would initialise something else. */
  readonly version: number;
  readonly image: { readonly reference: string; readonly recipe: Recipe };
  /** Checks the options and fills in the defaults. @throws MayflyError `option.invalid` */
  resolve(options: Partial<Options>): Options;
  /** A start on the image as it is, which initialises what has to be. */
  start(options: Options): PresetStart;
  /** Runs when such a start is ready: initial data. */
  initialise?(container: Container, options: Options): Promise<void>;
  /** Brings the service to rest before what it wrote is kept, and before a snapshot. */
  quiesce?(container: Container, options: Options): Promise<void>;
  /** Runs in a spare before it stands still, and does what its first user would wait for. */
  warm?(container: Container, options: Options): Promise<void>;
  /** Default: nothing is kept, every start is one on the image as it is. */
  readonly boot?: Boot<Options>;
  extras(container: Container, options: Options): Extras;
}

/** Options that {@link startContainer} takes for a preset. */
export type PresetOptions<Options> = Partial<Options> &
  CommonOptions & {
    /** Keep what the first start initialises, so that every later one skips it. Default: true. */
    readonly cache?: boolean;
  };

/**
 * Declares a preset. Returns it as it is; the function is there for the types.
 *
 * A preset that `startContainer` shall know by name is added to {@link Presets} by declaration merging.
 */
export function definePreset<Options extends object, Extras extends object>(
  preset: Preset<Options, Extras>,
): Preset<Options, Extras> {
  return preset;
}

/** Presets by name. Each preset's module adds itself: `declare module 'mayfly' { interface Presets { … } }`. */
// biome-ignore lint/suspicious/noEmptyInterface: it is filled by declaration merging
export interface Presets {}
