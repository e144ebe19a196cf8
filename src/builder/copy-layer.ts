import { posix } from 'node:path';
import { resolveIds } from '../containers/process-spec.ts';
import { runFileWorker } from '../files/run-worker.ts';
import { resolveCopy } from '../images/dockerfile/copy-step.ts';
import { placed } from '../images/dockerfile/placed.ts';
import { stepText } from '../images/dockerfile/step-text.ts';
import type { Layer } from '../images/layers/layer.ts';
import { type CopyPart, contextParts, inlineParts, rootParts } from './copy-parts.ts';
import { fetchParts, isUrl } from './fetch-parts.ts';
import { cachedStep } from './layer-cache.ts';
import { openLayeredRoot } from './layered-root.ts';
import type { StepContext, StepResult } from './stage-builder.ts';
import { diffIdsOf, withStep } from './stage-state.ts';

/** Of what a COPY makes of the same sources: layers of another version are not taken. */
const VERSION = 2;

/** COPY and ADD: files of the context, of another stage or of the network, written on top of the layers below. */
export async function runCopyStep(context: StepContext): Promise<StepResult> {
  const { build, stage, state, scope, instruction } = context;
  const { engine, noCache, scratch, signal } = build;
  const { place } = instruction;
  const { config, layers } = state;
  const step = placed(place, () => resolveCopy(instruction, scope.scope(config.Env ?? [])));
  const source = step.from === undefined ? undefined : await build.source(step.from, stage);
  await using from = source && (await openLayeredRoot(engine, { layers: source.layers, scratch, signal }));
  const local = { ...step, sources: step.sources.filter((name) => !(step.add && isUrl(name))) };
  const parts: CopyPart[] = [
    ...inlineParts(step),
    ...(step.add ? await fetchParts(step, { place, signal }) : []),
    ...(from === undefined
      ? await contextParts(build.context(), { step: local, place })
      : rootParts(
          { root: from.fd, identity: diffIdsOf(source!) },
          { step: local, place, signal, launcher: engine.rung.launcher },
        )),
  ];
  const destination = posix.resolve(config.WorkingDir || '/', step.destination);
  const ids = step.chown === undefined ? { uid: 0, gid: 0 } : resolveIds(layers, step.chown);
  const owner = step.chown === undefined && from !== undefined ? undefined : { uid: ids.uid, gid: ids.gid };
  // A slash at the end says that the destination is a directory, which resolve takes away.
  const path = step.destination.endsWith('/') && destination !== '/' ? `${destination}/` : destination;
  const { layer, cached } = await cachedStep(engine, {
    key: ['COPY', VERSION, diffIdsOf(state), parts.map(({ key }) => key), path, owner, step.chmod],
    build: () => write(context, { parts, path, owner, mode: step.chmod }),
    noCache,
    signal,
  });
  return { state: withStep(state, { step: stepText(instruction), layer }), cached };
}

interface Writing {
  readonly parts: readonly CopyPart[];
  readonly path: string;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly mode: number | undefined;
}

async function write({ build, state }: StepContext, { parts, path, owner, mode }: Writing): Promise<Layer> {
  const { engine, scratch, signal } = build;
  await using root = await openLayeredRoot(engine, { layers: state.layers, scratch, signal });
  for (const part of parts) {
    await runFileWorker(
      {
        operation: 'copy-in',
        path,
        shape: part.shape,
        name: part.name,
        trusted: true,
        owner,
        mode,
        manner: 'COPY',
      },
      { root: root.fd, input: part.open(), signal, launcher: engine.rung.launcher },
    );
  }
  return await root.commit();
}
