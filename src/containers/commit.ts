import { applyChanges } from '../images/dockerfile/apply-changes.ts';
import type { Layer } from '../images/layers/layer.ts';
import type { HistoryEntry } from '../images/manifest/oci-config.ts';
import { parseReference } from '../images/reference/parse.ts';
import type { Image } from '../images/store/image.ts';
import { MayflyError } from '../support/error.ts';
import type { ContainerParts } from './container-parts.ts';
import { isPaused, pauseContainer, wakeContainer } from './pause.ts';
import { upperOf } from './upper.ts';

export interface CommitOptions {
  /** Stands in the image and in its history. Default: none. */
  readonly author?: string;
  /** Stands in the history. Default: none. */
  readonly message?: string;
  /** Dockerfile lines that change the configuration: `CMD ["serve"]`, `ENV A=1`. Default: none. */
  readonly changes?: readonly string[];
  /**
   * Stop all processes while files are copied, so that the image shows one instant; needs cgroup2. False: files may be torn that are
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
  const below = record.image.layers.map((diffId) => layerBelow(parts, diffId));
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
    history: [...historyBelow(parts), step],
    ...(author === undefined ? {} : { author }),
  });
}

async function copyUpper(parts: ContainerParts, { pause = true, signal }: CommitOptions): Promise<Layer> {
  const { engine, run } = parts;
  const upper = upperOf(parts);
  const copy = () => engine.images.layers.copyUpper(upper, { signal });
  // Whoever has paused it himself unpauses it himself.
  if (!pause || run.exit !== undefined || isPaused(parts)) return copy();
  await pauseContainer(parts);
  try {
    return await copy();
  } finally {
    wakeContainer(parts);
  }
}

function layerBelow({ engine, record }: ContainerParts, diffId: string): Layer {
  const layer = engine.images.layers.get(diffId);
  if (layer !== undefined) return layer;
  throw new MayflyError(
    'container.layer-gone',
    `the layer ${diffId} of ${record.name} is not there any more`,
    {
      hint: 'the home has been changed from outside; start the container anew',
    },
  );
}

/** That of the container's image; where it has none, each layer is a step, as a history has to have one for each. */
function historyBelow({ engine, record }: ContainerParts): readonly HistoryEntry[] {
  const history = engine.images.lookup(record.image.id)?.config.history;
  if (history !== undefined && history.length > 0) return history;
  return record.image.layers.map(() => ({ created_by: `FROM ${record.image.reference}` }));
}
