import { openEngine } from '../containers/engine.ts';
import { openTemporary } from '../files/temporary.ts';
import { DockerfileError, type Place } from '../images/dockerfile/dockerfile-error.ts';
import { expandWord } from '../images/dockerfile/expand.ts';
import { parseDockerfile } from '../images/dockerfile/parse.ts';
import { placed } from '../images/dockerfile/placed.ts';
import { type Stage, splitStages } from '../images/dockerfile/stages.ts';
import {
  formatPlatform,
  hostPlatform,
  matchesPlatform,
  type Platform,
  parsePlatform,
} from '../images/manifest/platform.ts';
import { parseReference } from '../images/reference/parse.ts';
import type { Image } from '../images/store/image.ts';
import { MayflyError } from '../support/error.ts';
import { atPlace } from './at-place.ts';
import { BaseImages } from './base-images.ts';
import type { Build } from './build.ts';
import { type BuildOptions, checkBuildOptions } from './build-options.ts';
import { BuildScope } from './build-scope.ts';
import { ContextIndex } from './context-index.ts';
import { keepImage } from './keep-image.ts';
import { readDockerfile, readIgnore } from './read-dockerfile.ts';
import { buildStage } from './stage-builder.ts';
import { neededBy, sourceOf, targetStage } from './stage-graph.ts';
import type { StageState } from './stage-state.ts';

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
  const tags = [tag].flat();
  for (const reference of tags) parseReference(reference);
  const platform = platformOf(options.platform);
  const dockerfile = readDockerfile(options);
  const parsed = parseDockerfile(dockerfile.text, dockerfile.name);
  const { globals, stages } = splitStages(parsed);
  const goal = targetStage(stages, target);

  // 2. What all stages share.
  const engine = openEngine();
  // Until the image names its layers, nobody else knows that they are needed.
  using _hold = await engine.images.hold({ signal });
  await using temporary = await openTemporary(engine.home.layers, engine.rung.launcher);
  const given = { args, platform, escape: parsed.escape };
  const head = new BuildScope(given);
  for (const instruction of globals) head.declare(instruction);
  let index: ContextIndex | undefined;
  const stop = new AbortController();
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const bases = new BaseImages(engine, { pull: options.pull, signal: stopped });
  const built = new Map<Stage, Promise<StageState>>();
  const build: Build = {
    engine,
    given,
    globals: head,
    scratch: temporary.path,
    secrets,
    noCache,
    allow: options.allow ?? [],
    signal: stopped,
    context: () => (index ??= new ContextIndex(context, readIgnore(context, dockerfile.path))),
    async source(name, stage) {
      const source = sourceOf(stages, { name, stage });
      return 'stage' in source ? once(source.stage) : bases.get(source.reference);
    },
    report: (event) => options.onProgress?.(event),
  };

  // 3. The goal, which asks for the stages that it needs.
  function once(stage: Stage): Promise<StageState> {
    const running = built.get(stage) ?? run(stage);
    built.set(stage, running);
    return running;
  }
  async function run(stage: Stage): Promise<StageState> {
    const base = baseOf(stage, head);
    // All that the stage will ask for begins now, at the same time.
    for (const other of neededBy(stage, { stages })) void once(other).catch(() => {});
    return buildStage(build, {
      stage,
      base: await atPlace(stage.from, { step: () => build.source(base, stage), signal: stopped }),
    });
  }
  try {
    const state = await once(goal);
    return await keepImage(engine, state, { tags, labels });
  } finally {
    // A stage that failed ends the others; none of them may work on in what is removed now.
    stop.abort();
    await Promise.allSettled(built.values());
  }
}

/** What a stage stands on. @throws DockerfileError `build.syntax`, `build.unsupported` */
function baseOf({ from, base, platform }: Stage, head: BuildScope): string {
  const { place } = from;
  const scope = head.scope([]);
  return placed(place, () => {
    if (platform !== undefined) requirePlatform(parsePlatform(expandWord(platform, scope)), place);
    const name = expandWord(base, scope);
    if (name !== '') return name;
    throw new DockerfileError('build.syntax', `${base} is empty`, {
      place,
      hint: 'give the ARG a default before the first FROM, or a value to the build',
    });
  });
}

function platformOf(text: string | undefined): Platform {
  const host = hostPlatform();
  if (text === undefined) return host;
  const wanted = parsePlatform(text);
  requirePlatform(wanted);
  return wanted;
}

/** The commands of RUN have to run here. */
function requirePlatform(wanted: Platform, place?: Place): void {
  if (matchesPlatform(wanted, hostPlatform())) return;
  const what = `${formatPlatform(wanted)} cannot be built on this machine`;
  const hint = 'build on a machine of that platform';
  if (place !== undefined) throw new DockerfileError('build.unsupported', what, { place, hint });
  throw new MayflyError('build.unsupported', what, { hint });
}
