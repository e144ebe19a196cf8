import type { Engine } from '../containers/engine.ts';
import { type PullPolicy, provideImage } from '../images/transfer/provide-image.ts';
import { SCRATCH, type StageState, stateOfImage } from './stage-state.ts';

interface BaseOptions {
  readonly pull: PullPolicy | undefined;
  readonly signal: AbortSignal;
}

/** The images that stages stand on or take files from, each provided once a build. */
export class BaseImages {
  readonly #states = new Map<string, Promise<StageState>>();
  readonly #engine: Engine;
  readonly #options: BaseOptions;

  constructor(engine: Engine, options: BaseOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** @throws MayflyError `image.*`, `registry.*` */
  get(reference: string): Promise<StageState> {
    if (reference === 'scratch') return Promise.resolve(SCRATCH);
    const state = this.#states.get(reference) ?? this.#provide(reference);
    this.#states.set(reference, state);
    return state;
  }

  async #provide(reference: string): Promise<StageState> {
    const { images, openRegistries } = this.#engine;
    const { pull: policy, signal } = this.#options;
    const image = await provideImage({ store: images, openRegistries }, { reference, policy, signal });
    return stateOfImage(image, images.lookup(image.id)?.config.history);
  }
}
