import { Readable } from 'node:stream';
import { runFileWorker } from '../files/run-worker.ts';
import { END_OF_ARCHIVE } from '../files/tar/encode.ts';
import { stepText } from '../images/dockerfile/step-text.ts';
import { LayersView } from '../images/layers/layers-view.ts';
import type { ImageConfig } from '../images/store/image.ts';
import { cachedStep } from './layer-cache.ts';
import { openLayeredRoot } from './layered-root.ts';
import type { StepContext, StepResult } from './stage-builder.ts';
import { diffIdsOf, withStep } from './stage-state.ts';

/** WORKDIR: makes the directory where no layer has it, as Docker does. */
export async function ensureWorkingDirectory(context: StepContext, config: ImageConfig): Promise<StepResult> {
  const { build, state, instruction } = context;
  const { engine, scratch, noCache, signal } = build;
  const path = config.WorkingDir!;
  const step = stepText(instruction);
  if (isThere(context, path)) return { state: withStep(state, { step, config }), cached: true };
  const { layer, cached } = await cachedStep(engine, {
    key: ['WORKDIR', diffIdsOf(state), path],
    async build() {
      await using root = await openLayeredRoot(engine, { layers: state.layers, scratch, signal });
      const request = { operation: 'copy-in', path, shape: 'contents', trusted: true } as const;
      const input = Readable.from([END_OF_ARCHIVE]);
      await runFileWorker(request, { root: root.fd, input, signal, launcher: engine.rung.launcher });
      return await root.commit();
    },
    noCache,
    signal,
  });
  return { state: withStep(state, { step, layer, config }), cached };
}

function isThere({ build, state }: StepContext, path: string): boolean {
  const view = new LayersView(state.layers, build.engine.rung.opaque);
  const { present, missing } = view.resolve(path);
  return missing.length === 0 && (present === '/' || view.lstat(present)!.isDirectory());
}
