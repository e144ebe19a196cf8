import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../containers/engine.ts';
import { cachedLayer } from '../images/layers/cached-layer.ts';
import type { Layer } from '../images/layers/layer.ts';
import { deadlineIn } from '../support/deadline.ts';

/** Somebody else may be making the same step, however long a RUN takes. */
const PATIENCE = 6 * 3600_000;

/** What a step's result depends on: the layers below it, and everything about the step itself. */
export type StepKey = readonly unknown[];

export interface CachedStep {
  readonly layer: Layer;
  readonly cached: boolean;
}

/**
 * The layer of a step, from what earlier builds of any process have made, or made now and remembered.
 *
 * Keyed by content alone: the same step on the same layers is the same whatever Dockerfile it is in.
 */
export async function cachedStep(
  engine: Engine,
  {
    key,
    build,
    noCache,
    signal,
  }: { key: StepKey; build: () => Promise<Layer>; noCache: boolean; signal: AbortSignal | undefined },
): Promise<CachedStep> {
  const directory = join(engine.home.cache, 'build');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const digest = createHash('sha256').update(JSON.stringify(key)).digest('hex');
  let cached = true;
  const layer = await cachedLayer(engine.images.layers, {
    path: join(directory, `${digest}.json`),
    signal,
    deadline: deadlineIn(PATIENCE),
    again: noCache,
    build: () => {
      cached = false;
      return build();
    },
  });
  return { layer, cached };
}
