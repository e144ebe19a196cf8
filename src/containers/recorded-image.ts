import type { LayerTree } from '../images/layers/layer.ts';
import type { Image } from '../images/store/image.ts';
import { MayflyError } from '../support/error.ts';
import type { RecordedImage } from './container-record.ts';
import type { Engine } from './engine.ts';
import { snapshotTree } from './snapshots/snapshot-record.ts';

/**
 * The image that a container or a snapshot stands on.
 *
 * @throws MayflyError `container.layer-gone`
 */
export function openRecordedImage(engine: Engine, recorded: RecordedImage): Image {
  const { id, reference, config, layers } = recorded;
  return {
    id,
    references: [reference],
    config,
    layers: layers.map((entry) => openTree(engine, entry, reference)),
  };
}

function openTree({ images, home }: Engine, entry: string, reference: string): LayerTree {
  const tree = snapshotTree(home, entry) ?? images.layers.get(entry);
  if (tree !== undefined) return tree;
  throw new MayflyError(
    'container.layer-gone',
    `what ${reference} stood on is not there any more: ${entry}`,
    {
      hint: 'the home has been changed from outside; get the image again, or take the snapshot again',
    },
  );
}
