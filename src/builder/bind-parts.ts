import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { DockerfileError } from '../images/dockerfile/dockerfile-error.ts';
import type { RunMount } from '../images/dockerfile/run-step.ts';
import { digestEntries, packEntries, placeBelow } from './context-tar.ts';
import { type CopyPart, rootPart } from './copy-parts.ts';
import { type LayeredRoot, openLayeredRoot } from './layered-root.ts';
import type { SourcedMount } from './run-mounts.ts';
import type { StepContext } from './stage-builder.ts';
import { diffIdsOf } from './stage-state.ts';

/** The mounts of a RUN with what its binds show. */
export interface BindParts extends AsyncDisposable {
  readonly mounts: readonly SourcedMount[];
}

/** Finds what binds show, in the context or in other stages. @throws DockerfileError `build.no-such-source` */
export async function openBindParts(context: StepContext, mounts: readonly RunMount[]): Promise<BindParts> {
  const roots: LayeredRoot[] = [];
  const dispose = async () => {
    for (const root of roots.splice(0)) await root[Symbol.asyncDispose]();
  };
  try {
    const sourced: SourcedMount[] = [];
    for (const mount of mounts) {
      if (mount.type !== 'bind') sourced.push(mount);
      else if (mount.from === undefined)
        sourced.push({ ...mount, part: await contextPart(context, mount.source) });
      else
        sourced.push({
          ...mount,
          part: await stagePart(context, { from: mount.from, source: mount.source, roots }),
        });
    }
    return { mounts: sourced, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function contextPart({ build, instruction }: StepContext, source: string): Promise<CopyPart> {
  const index = build.context();
  const entry = index.resolve(posix.normalize(`/${source}`));
  if (entry === undefined) throw missing(source, instruction);
  const placed = placeBelow(index, entry, { name: undefined });
  return {
    key: ['entries', await digestEntries(index, placed)],
    shape: entry.stat.isDirectory() ? 'contents' : 'top',
    name: undefined,
    open: () => Readable.from(packEntries(index, placed), { objectMode: false }),
  };
}

async function stagePart(
  { build, stage, instruction }: StepContext,
  { from, source, roots }: { from: string; source: string; roots: LayeredRoot[] },
): Promise<CopyPart> {
  const { engine, scratch, signal } = build;
  const state = await build.source(from, stage);
  const root = await openLayeredRoot(engine, { layers: state.layers, scratch, signal });
  roots.push(root);
  const part = rootPart(
    { root: root.fd, identity: diffIdsOf(state) },
    { path: posix.join('/', source), signal, launcher: engine.rung.launcher },
  );
  if (part === undefined) throw missing(`${source} of ${from}`, instruction);
  return part;
}

function missing(source: string, { place }: StepContext['instruction']): DockerfileError {
  return new DockerfileError('build.no-such-source', `${source} is not there to be mounted`, { place });
}
