import type { Container } from '../../containers/container.ts';
import type { ContainerOptions } from '../../containers/container-options.ts';
import type { Engine } from '../../containers/engine.ts';
import { withoutHostPort } from '../../containers/ports.ts';
import type { Service } from '../../containers/service.ts';
import { startContainer } from '../../containers/start.ts';
import type { WaitStrategy } from '../../containers/wait/strategy.ts';
import { provideShown } from '../../images/transfer/provide-shown.ts';
import { findImage } from '../image-source.ts';
import type { Preset, PresetOptions } from '../preset.ts';
import { presetService, sortOptions } from '../preset-service.ts';
import { startPreset } from '../start-preset.ts';

/** What a seed is put into: a preset's container, or that of an image. */
export interface SeedSource {
  /** All that its state depends on before it is seeded, as plain data. */
  readonly identity: unknown;
  /** How containers on the seed are told to be ready, and what their handles have. */
  readonly waitFor: WaitStrategy | undefined;
  readonly service: Service | undefined;
  /** Whether it ends in order when it is asked to, which shows that what it wrote is whole. */
  readonly endsInOrder: boolean;
  start(): Promise<Container>;
}

/** Of a preset. @throws MayflyError `option.invalid`, and what the image's arrival throws */
export async function presetSource(
  engine: Engine,
  { preset, options: given }: { preset: Preset<object, object>; options: PresetOptions<object> },
): Promise<SeedSource> {
  const sorted = sortOptions(preset, given);
  const { options, common } = sorted;
  const image = await findImage(engine, { preset, signal: common.signal });
  return {
    identity: [image.id, preset.name, preset.version, options, lasting(common)],
    ...presetService(preset, sorted),
    endsInOrder: true,
    start: () => startPreset(preset, { ...withoutName(given), ...passing(common) }),
  };
}

/** Of an image. @throws MayflyError as startContainer does for an image */
export async function imageSource(engine: Engine, options: ContainerOptions): Promise<SeedSource> {
  const { image: wanted, pull, signal } = options;
  const image =
    typeof wanted === 'string'
      ? await provideShown(
          { store: engine.images, openRegistries: engine.openRegistries },
          { reference: wanted, policy: pull, signal },
        )
      : wanted;
  return {
    identity: [image.id, lasting(options)],
    waitFor: options.waitFor,
    service: undefined,
    endsInOrder: false,
    start: () => startContainer({ ...withoutName(options), ...passing(options), image }),
  };
}

type Common = Partial<ContainerOptions>;

/** What bears on what a container writes. */
function lasting({
  image: _,
  pull: __,
  name: ___,
  waitFor: ____,
  signal: _____,
  spares: ______,
  ...options
}: Common): object {
  return options;
}

/** The name, the host's port numbers and the spares are those of the containers to come, and one of them may run. */
function passing({ ports }: Common): Common {
  return {
    detached: false,
    spares: 0,
    ...(ports === undefined ? {} : { ports: ports.map(withoutHostPort) }),
  };
}

function withoutName<Options extends Common>({ name: _, ...options }: Options): Omit<Options, 'name'> {
  return options;
}
