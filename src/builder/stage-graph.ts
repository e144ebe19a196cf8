import { DockerfileError } from '../images/dockerfile/dockerfile-error.ts';
import { findStage, type Stage, titleOf } from '../images/dockerfile/stages.ts';

/** What an instruction takes files from: an earlier stage, or an image. */
export type Source = { readonly stage: Stage } | { readonly reference: string };

/** Names are those of earlier stages first, as in Docker. */
export function sourceOf(stages: readonly Stage[], { name, stage }: { name: string; stage: Stage }): Source {
  const found = findStage(stages, { name, before: stage.index });
  return found === undefined ? { reference: name } : { stage: found };
}

/**
 * The stage that is to become the image.
 *
 * @throws DockerfileError `build.unknown-stage`
 */
export function targetStage(stages: readonly Stage[], target: string | undefined): Stage {
  if (target === undefined) return stages.at(-1)!;
  const found = findStage(stages, { name: target, before: stages.length });
  if (found !== undefined) return found;
  throw new DockerfileError('build.unknown-stage', `no stage is called ${JSON.stringify(target)}`, {
    place: stages[0]!.from.place,
    hint: `there are: ${stages.map(titleOf).join(', ')}`,
  });
}

/** Stages that the flags of a stage's instructions name; its base is asked for anyway. */
export function neededBy(stage: Stage, { stages }: { stages: readonly Stage[] }): Stage[] {
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
