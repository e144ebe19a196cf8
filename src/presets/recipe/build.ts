import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Engine } from '../../containers/engine.ts';
import { sealContainer } from '../../containers/seal.ts';
import { startContainer } from '../../containers/start.ts';
import type { Layer } from '../../images/layers/layer.ts';
import type { Image } from '../../images/store/image.ts';
import { once } from '../../images/store/once.ts';
import { numbered, type Progress, reportProgress } from '../../support/progress.ts';
import { debianBase } from './debian-base.ts';
import type { Recipe } from './recipe.ts';
import { runStep } from './run-step.ts';

/** Goes up when the steps below would make something else of the same recipe. */
const VERSION = 1;
/** The bootstrap, and those of `install`. */
const STEPS = 6;

/** No service may be started by a package while it is installed (Debian policy, invoke-rc.d). */
const NO_SERVICES =
  'printf "#!/bin/sh\\nexit 101\\n" > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d';
const CLEAN_UP =
  'rm -f /usr/sbin/policy-rc.d && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log /var/log/apt';

interface Wanted {
  readonly name: string;
  readonly recipe: Recipe;
  readonly signal: AbortSignal | undefined;
}

/**
 * A preset's image out of Debian packages: a bootstrapped base, then apt-get in one of our own containers, whose upper
 * becomes the second layer. Made once; the result is in the store under a name that holds the recipe's hash. `why` begins the
 * line that is printed then.
 *
 * @throws MayflyError `recipe.tool-missing`, `recipe.step-failed`
 */
export async function buildRecipe(
  engine: Engine,
  { name, recipe, why, signal }: Wanted & { readonly why: string },
): Promise<Image> {
  const { hash, reference } = nameOf({ name, recipe });
  const directory = join(engine.home.cache, 'recipes');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return once(
    join(directory, `${name}-${hash}.lock`),
    {
      lookup: () => engine.images.find(reference),
      build: async () => {
        const progress = reportProgress();
        progress.say(`${why}: making an image for ${name} from Debian packages, once`);
        const base = await debianBase(engine, {
          suite: recipe.suite ?? 'bookworm',
          progress: numbered(progress, { from: 1, of: STEPS }),
          signal,
        });
        const rest = numbered(progress, { from: 2, of: STEPS });
        const packages = await install(engine, { base, recipe, progress: rest, signal });
        return engine.images.put({ reference, config: recipe.config, layers: [base, packages] });
      },
    },
    { signal },
  );
}

/** The image of an earlier {@link buildRecipe}, if it is still there. */
export function findRecipeImage(engine: Engine, recipe: Omit<Wanted, 'signal'>): Promise<Image | undefined> {
  return engine.images.find(nameOf(recipe).reference);
}

function nameOf({ name, recipe }: Omit<Wanted, 'signal'>): { hash: string; reference: string } {
  const hash = createHash('sha256')
    .update(JSON.stringify([VERSION, recipe]))
    .digest('hex')
    .slice(0, 16);
  return { hash, reference: `mayfly-recipe/${name}:${hash}` };
}

interface Installation {
  readonly base: Layer;
  readonly recipe: Recipe;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

async function install(engine: Engine, { base, recipe, progress, signal }: Installation): Promise<Layer> {
  const image = await engine.images.put({ reference: undefined, config: {}, layers: [base] });
  await using container = await startContainer({
    image,
    command: ['sleep', 'infinity'],
    ...(signal ? { signal } : {}),
  });
  const step = (title: string, script: string) => runStep(container, { title, script, progress, signal });
  await step('prepare', `${NO_SERVICES}\n${recipe.before ?? ''}`);
  await step('apt-get update', 'apt-get update --quiet');
  await step(
    `apt-get install ${recipe.packages.join(' ')}`,
    `apt-get install --quiet --yes --no-install-recommends -o APT::Status-Fd=3 ${recipe.packages.join(' ')} 3>&1`,
  );
  for (const [path, { content, mode }] of Object.entries(recipe.files ?? {})) {
    await container.exec(
      ['sh', '-c', `mkdir -p ${dirname(path)} && cat > ${path} && chmod ${mode.toString(8)} ${path}`],
      {
        stdin: content,
      },
    );
  }
  await step('clean up', `${recipe.after ?? ''}\n${CLEAN_UP}`);
  const reported = progress.step('keep the result as a layer');
  const layer = await sealContainer(container, signal ? { signal } : {});
  reported.done();
  return layer;
}
