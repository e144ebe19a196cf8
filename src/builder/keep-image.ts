import type { Engine } from '../containers/engine.ts';
import type { Image } from '../images/store/image.ts';
import type { StageState } from './stage-state.ts';

/** What an image is to be called, and labels that the caller adds. */
export interface Naming {
  readonly tags: readonly string[];
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/** Puts what a stage has come to into the store, under all its names. */
export async function keepImage(
  { images }: Engine,
  { config, layers, author, history }: StageState,
  { tags, labels }: Naming,
): Promise<Image> {
  const labelled = labels === undefined ? config : { ...config, Labels: { ...config.Labels, ...labels } };
  const image = { config: labelled, layers, history, ...(author === undefined ? {} : { author }) };
  const kept = await images.put({ ...image, reference: tags[0] });
  const references = [...kept.references];
  for (const reference of tags.slice(1)) {
    const { references: more } = await images.put({ ...image, reference });
    references.push(...more);
  }
  return { ...kept, references };
}
