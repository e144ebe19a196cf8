import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Container } from '../../containers/container.ts';
import type { ContainerOptions } from '../../containers/container-options.ts';
import { openEngine } from '../../containers/engine.ts';
import { Snapshot } from '../../containers/snapshots/snapshot.ts';
import { openSpares } from '../../containers/spares/spares.ts';
import { once } from '../../images/store/once.ts';
import { presetByName } from '../by-name.ts';
import type { Preset, PresetOptions, Presets } from '../preset.ts';
import type { ExtrasOf, OptionsOf } from '../start-container.ts';
import { findSeed } from './kept-seed.ts';
import { makeSeed } from './make-seed.ts';
import { type SeedInputs, seedKey } from './seed-key.ts';
import { imageSource, presetSource, type SeedSource } from './seed-source.ts';

export interface SeedOptions<C extends Container> extends SeedInputs {
  /**
   * Fills the container: migrations, rows, files. It runs once for what it depends on, in one process of all that ask, and its effect
   * is kept on disk. What it depends on beside its own text is declared by `inputs` and `files`. Default: nothing is filled.
   */
  readonly seed?: ((container: C) => unknown) | undefined;
  /** Ends waiting, or seeding. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A snapshot of a container that has been seeded: found on disk, or made by the first process that asks, while all others wait for it.
 *
 * It is kept by the image, the options, the text of `seed` and the declared inputs: when one of them changes, another is made. Every
 * `start` gives a container of its own in that state, one of `spares` if there are any. Those that nobody has used for long are removed by `pruneSeeds`.
 *
 * @throws what `seed` throws, after which nothing is left and the next one tries; MayflyError as startContainer, and
 * `snapshot.seed-input-missing`, `container.unclean-stop`, `wait.timeout` after ten minutes of waiting for another process
 */
export function seeded<Name extends keyof Presets>(
  what: {
    readonly preset: Name;
    readonly options?: PresetOptions<OptionsOf<Presets[Name]>>;
  } & SeedOptions<Container & ExtrasOf<Presets[Name]>>,
): Promise<Snapshot<Container & ExtrasOf<Presets[Name]>>>;
export function seeded<Options extends object, Extras extends object>(
  what: {
    readonly preset: Preset<Options, Extras>;
    readonly options?: PresetOptions<Options>;
  } & SeedOptions<Container & Extras>,
): Promise<Snapshot<Container & Extras>>;
export function seeded(
  what: { readonly container: ContainerOptions } & SeedOptions<Container>,
): Promise<Snapshot>;
export async function seeded(what: Seeded): Promise<Snapshot> {
  const { signal } = what;
  const engine = openEngine();
  // What the image stands on is no garbage before a container's record, or the snapshot's, says so.
  using _hold = await engine.images.hold({ signal });
  const source = await sourceOf(engine, what);
  const seed = what.seed ?? (() => undefined);
  const key = seedKey(source.identity, { ...what, seed });
  const locks = join(engine.home.cache, 'seeds');
  mkdirSync(locks, { recursive: true, mode: 0o700 });
  const record = await once(
    join(locks, `${key}.lock`),
    {
      lookup: async () => findSeed(engine.home, key),
      build: () => makeSeed(engine, { source, key, seed, signal }),
    },
    { signal },
  );
  const { service, waitFor } = source;
  const parts = { engine, record, service, waitFor };
  openSpares(parts, what.options?.spares ?? what.container?.spares ?? 0);
  return new Snapshot(parts);
}

type Seeded = SeedOptions<never> & {
  readonly preset?: string | Preset<object, object>;
  readonly options?: PresetOptions<object>;
  readonly container?: ContainerOptions;
};

async function sourceOf(
  engine: ReturnType<typeof openEngine>,
  { preset, options = {}, container, signal }: Seeded,
): Promise<SeedSource> {
  const signalled = signal === undefined ? {} : { signal };
  if (preset === undefined) return imageSource(engine, { ...container!, ...signalled });
  const loaded = typeof preset === 'string' ? await presetByName(preset) : preset;
  return presetSource(engine, { preset: loaded, options: { ...options, ...signalled } });
}
