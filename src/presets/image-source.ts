import type { Engine } from '../containers/engine.ts';
import { isUnreachable } from '../images/registry/registry-error.ts';
import type { Image } from '../images/store/image.ts';
import { provideShown } from '../images/transfer/provide-shown.ts';
import { MayflyError } from '../support/error.ts';
import type { Preset } from './preset.ts';
import { buildRecipe, findRecipeImage } from './recipe/build.ts';

interface Wanted {
  readonly preset: Pick<Preset<never, object>, 'name' | 'image'>;
  readonly signal: AbortSignal | undefined;
}

const SOURCES = ['auto', 'registry', 'recipe'] as const;

/**
 * A preset's image, from where `MAYFLY_IMAGES` says:
 *
 * - `registry`: under its reference, in the local store or from its registry.
 * - `recipe`: made of Debian packages.
 * - `auto`, the default: the first that there is of both in the local store; else the registry's; else, when no registry can
 *   be reached, the recipe's, with one line that says so. A registry that answers "no" has been reached.
 *
 * @throws MayflyError `option.invalid`, `registry.*`, `image.*`, `recipe.*`
 */
export async function findImage(engine: Engine, { preset, signal }: Wanted): Promise<Image> {
  const { name } = preset;
  const { reference, recipe } = preset.image;
  const source = imageSource(process.env);
  if (source === 'recipe') return buildRecipe(engine, { name, recipe, signal, why: 'MAYFLY_IMAGES=recipe' });
  const present = await engine.images.find(reference, { signal });
  if (present !== undefined) return present;
  if (source === 'auto') {
    const made = await findRecipeImage(engine, { name, recipe });
    if (made !== undefined) return made;
  }
  try {
    return await provideShown(
      { store: engine.images, openRegistries: engine.openRegistries },
      { reference, signal },
    );
  } catch (error) {
    if (source === 'registry' || !isUnreachable(error)) throw error;
    return buildRecipe(engine, { name, recipe, signal, why: 'no registry can be reached' });
  }
}

function imageSource(env: NodeJS.ProcessEnv): (typeof SOURCES)[number] {
  const given = env.MAYFLY_IMAGES || 'auto';
  const source = SOURCES.find((known) => known === given);
  if (source !== undefined) return source;
  throw new MayflyError('option.invalid', `MAYFLY_IMAGES is ${JSON.stringify(given)}`, {
    hint: `set it to one of ${SOURCES.join(', ')}`,
  });
}
