import type { Engine } from '../containers/engine.ts';
import type { Image } from '../images/store/image.ts';
import type { Preset } from './preset.ts';
import { buildRecipe } from './recipe/build.ts';

interface Wanted {
  readonly preset: Pick<Preset<never, object>, 'name' | 'image'>;
  readonly signal: AbortSignal | undefined;
}

/** A preset's image: from the local store under its reference, else made by its recipe. */
export async function findImage(engine: Engine, { preset, signal }: Wanted): Promise<Image> {
  const { reference, recipe } = preset.image;
  return (await engine.images.find(reference)) ?? buildRecipe(engine, { name: preset.name, recipe, signal });
}
