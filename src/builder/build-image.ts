import { readFileSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { openEngine } from '../containers/engine.ts';
import { expandWord } from '../images/dockerfile/expand.ts';
import { readIgnoreFile } from '../images/dockerfile/ignore.ts';
import { parseDockerfile } from '../images/dockerfile/parse.ts';
import { placed } from '../images/dockerfile/placed.ts';
import { type Stage, splitStages } from '../images/dockerfile/stages.ts';
import { openTemporary } from '../images/layers/temporary.ts';
import { hostPlatform, matchesPlatform, parsePlatform } from '../images/manifest/platform.ts';
import type { Image } from '../images/store/image.ts';
import { provideImage } from '../images/transfer/provide-image.ts';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { MayflyError } from '../support/error.ts';
import type { Build } from './build.ts';
import { type BuildOptions, checkBuildOptions } from './build-options.ts';
import { BuildScope } from './build-scope.ts';
import { ContextIndex } from './context-index.ts';
import { buildStage } from './stage-builder.ts';
import { sourceOf, targetStage } from './stage-graph.ts';
import { SCRATCH, type StageState, stateOfImage } from './stage-state.ts';

/**
 * Builds an image out of a Dockerfile and its context.
 *
 * Stages that the target does not need are skipped; independent ones are built at the same time. Every RUN is a container of
 * ours. Steps that any build on this machine has made before are taken from the cache, by their content.
 *
 * @throws DockerfileError `build.*`, with file and line; MayflyError `option.invalid`, `build.no-dockerfile`, `image.*`, `registry.*`
 */
export async function buildImage(options: BuildOptions): Promise<Image> {
  // 1. What can be refused without having made anything.
  checkBuildOptions(options);
  const { context, target, args = {}, tag = [], noCache = false, secrets = {}, labels, signal } = options;
  const platform = platformOf(options.platform);
  const dockerfile = dockerfilePath(options);
  const parsed = parseDockerfile(readDockerfile(dockerfile), basename(dockerfile));
  const { globals, stages } = splitStages(parsed);
  const goal = targetStage(stages, target);

  // 2. What all stages share.
  const engine = openEngine();
  await using temporary = await openTemporary(engine.home.layers);
  const given = { args, platform, escape: parsed.escape };
  const head = new BuildScope(given);
  for (const instruction of globals) head.declare(instruction);
  let index: ContextIndex | undefined;
  const stop = new AbortController();
  const built = new Map<Stage, Promise<StageState>>();
  const build: Build = {
    engine,
    given,
    globals: head,
    scratch: temporary.path,
    secrets,
    noCache,
    signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]),
    context: () => (index ??= new ContextIndex(context, readIgnoreFile(context, dockerfile))),
    async source(name, stage) {
      const source = sourceOf(stages, { name, stage });
      return 'stage' in source ? once(source.stage) : imageState(source.reference);
    },
    report: (event) => options.onProgress?.(event),
  };

  // 3. The goal, which asks for the stages that it needs.
  async function imageState(reference: string): Promise<StageState> {
    if (reference === 'scratch') return SCRATCH;
    const sources = { store: engine.images, openRegistries: engine.openRegistries };
    return stateOfImage(await provideImage(sources, { reference, signal: build.signal }));
  }
  function once(stage: Stage): Promise<StageState> {
    const running = built.get(stage) ?? run(stage);
    built.set(stage, running);
    return running;
  }
  async function run(stage: Stage): Promise<StageState> {
    const name = placed(stage.from.place, () => expandWord(stage.base, head.scope([])));
    // All that the stage will ask for begins now, at the same time.
    for (const other of neededBy(stage, { stages })) void once(other).catch(() => {});
    return buildStage(build, { stage, base: await build.source(name, stage) });
  }
  try {
    const state = await once(goal);
    return await keep(state);
  } finally {
    // A stage that failed ends the others; none of them may work on in what is removed now.
    stop.abort();
    await Promise.allSettled(built.values());
  }

  async function keep({ config, layers, author, history }: StageState): Promise<Image> {
    const labelled = labels === undefined ? config : { ...config, Labels: { ...config.Labels, ...labels } };
    const image = { config: labelled, layers, history, ...(author === undefined ? {} : { author }) };
    const references: readonly (string | undefined)[] =
      [tag].flat().length === 0 ? [undefined] : [tag].flat();
    let kept: Image | undefined;
    for (const reference of references) kept = await engine.images.put({ ...image, reference });
    return kept!;
  }
}

/** Stages that the flags of a stage's instructions name; its base is asked for anyway. */
function neededBy(stage: Stage, { stages }: { stages: readonly Stage[] }): Stage[] {
  const names = stage.steps.flatMap(({ flags }) =>
    flags.flatMap(({ name, value }) =>
      name === 'from' ? [value] : name === 'mount' ? (/(?:^|,)from=([^,]+)/.exec(value)?.slice(1) ?? []) : [],
    ),
  );
  return names.flatMap((name) => {
    const source = sourceOf(stages, { name, stage });
    return 'stage' in source ? [source.stage] : [];
  });
}

function platformOf(text: string | undefined) {
  const host = hostPlatform();
  if (text === undefined) return host;
  const wanted = parsePlatform(text);
  if (matchesPlatform(wanted, host)) return wanted;
  throw new MayflyError('build.unsupported', `${text} cannot be built on this machine`, {
    hint: 'the commands of RUN have to run here; build on a machine of that platform',
  });
}

function dockerfilePath({ context, dockerfile = 'Dockerfile' }: BuildOptions): string {
  return isAbsolute(dockerfile) ? dockerfile : join(context, dockerfile);
}

function readDockerfile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw cause;
    throw new MayflyError('build.no-dockerfile', `there is no Dockerfile at ${path}`, {
      cause,
      hint: 'give its path as dockerfile',
    });
  }
}
