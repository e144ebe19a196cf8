import type { LayerTree } from '../images/layers/layer.ts';
import type { HistoryEntry } from '../images/manifest/oci-config.ts';
import type { Image, ImageConfig } from '../images/store/image.ts';

/** What a stage has come to: an image that has no name yet. */
export interface StageState {
  /** Bottom to top. */
  readonly layers: readonly LayerTree[];
  readonly config: ImageConfig;
  readonly author: string | undefined;
  readonly history: readonly HistoryEntry[];
}

/** `FROM scratch` */
export const SCRATCH: StageState = { layers: [], config: {}, author: undefined, history: [] };

/** An image's own history, if it has one: a history has to have a step for each layer. */
export function stateOfImage(
  { layers, config }: Image,
  history: readonly HistoryEntry[] | undefined,
): StageState {
  const steps = history?.length ? history : layers.map(() => ({ created_by: 'FROM' }));
  return { ...SCRATCH, layers, config, history: steps };
}

export const diffIdsOf = ({ layers }: StageState): string[] => layers.map(({ diffId }) => diffId);

/** The state after one more step, which made a layer or only changed the configuration. */
export function withStep(
  state: StageState,
  { step, layer, config }: { step: string; layer?: LayerTree | undefined; config?: ImageConfig },
): StageState {
  return {
    ...state,
    config: config ?? state.config,
    layers: layer === undefined ? state.layers : [...state.layers, layer],
    history: [...state.history, { created_by: step, ...(layer === undefined ? { empty_layer: true } : {}) }],
  };
}
