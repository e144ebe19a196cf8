import { applyChanges } from '../../images/dockerfile/apply-changes.ts';
import { parseReference } from '../../images/reference/parse.ts';
import type { Image } from '../../images/store/image.ts';
import { asLayers, type CommitOptions, historyOf } from '../commit.ts';
import { openRecordedImage } from '../recorded-image.ts';
import type { SnapshotParts } from './snapshot.ts';

/** Makes an image of a snapshot; its trees become layers, those of the snapshots below it as well. */
export async function commitSnapshot(
  { engine, record }: SnapshotParts,
  { reference, author, message, changes = [], signal }: CommitOptions & { reference?: string | undefined },
): Promise<Image> {
  if (reference !== undefined) parseReference(reference);
  const config = applyChanges(record.image.config, changes);
  using _hold = await engine.images.hold({ signal });
  const { layers } = openRecordedImage(engine, record.image);
  const history = historyOf(engine, record.image);
  const last = { ...history.at(-1)!, ...(author === undefined ? {} : { author }) };
  return engine.images.put({
    reference,
    config,
    layers: await asLayers(engine, layers, { signal }),
    history: [...history.slice(0, -1), { ...last, ...(message === undefined ? {} : { comment: message }) }],
    ...(author === undefined ? {} : { author }),
  });
}
