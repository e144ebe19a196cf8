import { applyChanges } from '../images/dockerfile/apply-changes.ts';
import type { Layer, LayerTree } from '../images/layers/layer.ts';
import type { HistoryEntry } from '../images/manifest/oci-config.ts';
import { parseReference } from '../images/reference/parse.ts';
import type { Image } from '../images/store/image.ts';
import type { ContainerParts } from './container-parts.ts';
import type { RecordedImage } from './container-record.ts';
import type { Engine } from './engine.ts';
import { standingStill } from './pause.ts';
import { openRecordedImage } from './recorded-image.ts';
import { snapshotIn } from './snapshots/snapshot-record.ts';
import { upperOf } from './upper.ts';

export interface CommitOptions {
  /** Stands in the image and in its history. Default: none. */
  readonly author?: string;
  /** Stands in the history. Default: none. */
  readonly message?: string;
  /** Dockerfile lines that change the configuration: `CMD ["serve"]`, `ENV A=1`. Default: none. */
  readonly changes?: readonly string[];
  /**
   * Stop all processes while files are copied, so that the image shows one instant. False: files may be torn that are
   * being written. Default: true.
   */
  readonly pause?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Keeps what a container has written as a layer on its image, VOLUME paths included; the container goes on. Mounts are not part.
 *
 * No time of day is in it, so the same content gives the same image.
 *
 * @param reference name to give the image: `my/app:1`. Default: none, only its id
 * @throws MayflyError `image.bad-reference`, `build.*`, `cgroup.cannot-freeze`, `wait.timeout`, `layer.*`, `container.layer-gone`,
 * `container.storage-in-memory`
 */
export async function commitContainer(
  parts: ContainerParts,
  options: CommitOptions & { readonly reference?: string | undefined },
): Promise<Image> {
  const { reference, author, message, changes = [], signal } = options;
  const { engine, record } = parts;
  // What can be refused is refused while nothing has been made.
  if (reference !== undefined) parseReference(reference);
  const config = applyChanges(record.image.config, changes);

  using _hold = await engine.images.hold({ signal });
  const below = await asLayers(engine, openRecordedImage(engine, record.image).layers, { signal });
  const layer = await copyUpper(parts, options);
  const step: HistoryEntry = {
    created_by: record.spec.process.argv.join(' '),
    ...(author === undefined ? {} : { author }),
    ...(message === undefined ? {} : { comment: message }),
  };
  return engine.images.put({
    reference,
    config,
    layers: [...below, layer],
    history: [...historyOf(engine, record.image), step],
    ...(author === undefined ? {} : { author }),
  });
}

async function copyUpper(parts: ContainerParts, { pause = true, signal }: CommitOptions): Promise<Layer> {
  const { engine } = parts;
  const upper = upperOf(parts);
  const copy = () => engine.images.layers.copyUpper(upper, { signal });
  return pause ? standingStill(parts, copy) : copy();
}

/** Layers that an image can be made of: what is a snapshot's tree becomes one. */
export function asLayers(
  { images: { layers } }: Engine,
  trees: readonly LayerTree[],
  options: { readonly signal?: AbortSignal | undefined },
): Promise<LayerTree[]> {
  return Promise.all(
    trees.map((tree) =>
      snapshotIn(tree.diffId) === undefined ? tree : layers.copyUpper(tree.directory, options),
    ),
  );
}

/** That of the image; where it has none, each layer is a step, as a history has to have one for each. */
export function historyOf({ images }: Engine, { id, layers, reference }: RecordedImage): HistoryEntry[] {
  const history = images.lookup(id)?.config.history ?? [];
  const stepOf = (entry: string) => ({
    created_by: snapshotIn(entry) === undefined ? `FROM ${reference}` : `mayfly snapshot of ${reference}`,
  });
  if (history.length === 0) return layers.map(stepOf);
  return [...history, ...layers.filter((entry) => snapshotIn(entry) !== undefined).map(stepOf)];
}
