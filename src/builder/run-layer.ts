import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Container } from '../containers/container.ts';
import type { MountOption } from '../containers/container-options.ts';
import { sealContainer } from '../containers/seal.ts';
import { startContainer } from '../containers/start.ts';
import { DockerfileError } from '../images/dockerfile/dockerfile-error.ts';
import { placed } from '../images/dockerfile/placed.ts';
import { type RunStep, resolveRun, scriptPath } from '../images/dockerfile/run-step.ts';
import { titleOf } from '../images/dockerfile/stages.ts';
import { stepText } from '../images/dockerfile/step-text.ts';
import type { Layer } from '../images/layers/layer.ts';
import { openBindParts } from './bind-parts.ts';
import { cachedStep } from './layer-cache.ts';
import { prepareMounts, type SourcedMount } from './run-mounts.ts';
import type { StepContext, StepResult } from './stage-builder.ts';
import { diffIdsOf, withStep } from './stage-state.ts';
import { findStubs } from './stubs.ts';

const LAST_LINES = 20;
/** Of what is kept of a RUN: layers of another version are not taken. */
const VERSION = 3;

/** RUN: the command in a container of ours; what it wrote becomes the layer. */
export async function runRunStep(context: StepContext): Promise<StepResult> {
  const { build, state, scope, instruction } = context;
  const { engine, noCache, signal } = build;
  const { config } = state;
  const env = config.Env ?? [];
  const step = placed(instruction.place, () =>
    resolveRun(instruction, { config, scope: scope.scope(env), allow: build.allow }),
  );
  const args = scope.environment(env);
  await using binds = await openBindParts(context, step.mounts);
  const mountKeys = binds.mounts.map((mount) =>
    mount.type === 'bind' ? { ...mount, part: mount.part.key } : mount,
  );
  const { layer, cached } = await cachedStep(engine, {
    key: [
      'RUN',
      VERSION,
      diffIdsOf(state),
      step.argv,
      step.script?.content,
      step.network,
      env,
      args,
      config.User,
      config.WorkingDir,
      mountKeys,
    ],
    build: () => execute(context, { step, args, mounts: binds.mounts }),
    noCache,
    signal,
  });
  return { state: withStep(state, { step: stepText(instruction), layer }), cached };
}

async function execute(
  context: StepContext,
  { step, args, mounts }: { step: RunStep; args: Record<string, string>; mounts: readonly SourcedMount[] },
): Promise<Layer> {
  const { build, stage, state, scope, instruction } = context;
  const { engine, secrets, signal } = build;
  const caches = join(engine.home.cache, 'build-mounts');
  mkdirSync(caches, { recursive: true, mode: 0o700 });
  const scratch = mkdtempSync(join(build.scratch, 'run-'));
  using prepared = await prepareMounts(mounts, {
    scratch,
    caches,
    secrets,
    place: instruction.place,
    signal,
    rung: engine.rung,
  });
  // Nobody calls on it, and what is written to a volume is part of the image, as with BuildKit.
  const { Healthcheck: _, ExposedPorts: __, Volumes: ___, ...config } = state.config;
  const allMounts = [...prepared.mounts, ...scriptMounts(step, scratch)];
  const stubs = findStubs(
    context,
    allMounts.map(({ target }) => target),
  );
  await using container = await startContainer({
    image: { id: 'build', references: [], config, layers: state.layers },
    entrypoint: [],
    command: step.argv,
    env: { ...scope.undeclared(), ...args, ...prepared.env },
    mounts: allMounts,
    network: step.network,
    stopTimeout: 0,
    ...(signal ? { signal } : {}),
  });
  const lines: string[] = [];
  for await (const { stream, text } of container.logs({ follow: true, ...(signal ? { signal } : {}) })) {
    build.report({ kind: 'output', stage: titleOf(stage), stream, text });
    lines.push(text);
    if (lines.length > LAST_LINES) lines.shift();
  }
  signal?.throwIfAborted();
  await expectSuccess(container, { lines, instruction });
  return await sealContainer(container, { stubs, ...(signal ? { signal } : {}) });
}

/** The file of a here-document that names its own interpreter. */
function scriptMounts({ script }: RunStep, scratch: string): MountOption[] {
  if (script === undefined) return [];
  const source = join(mkdtempSync(join(scratch, 'script-')), 'script');
  writeFileSync(source, script.content);
  chmodSync(source, 0o755);
  return [{ type: 'bind', source, target: scriptPath(script), readOnly: true }];
}

/** @throws DockerfileError `build.step-failed` */
async function expectSuccess(
  container: Container,
  { lines, instruction }: { lines: readonly string[]; instruction: StepContext['instruction'] },
): Promise<void> {
  const { exitCode, oomKilled } = await container.parts.run.exited;
  if (exitCode === 0) return;
  const said =
    lines.length === 0 ? '' : `\n  it said last:\n${lines.map((line) => `    ${line}`).join('\n')}`;
  throw new DockerfileError(
    'build.step-failed',
    `RUN ended with code ${exitCode}${oomKilled ? ', out of memory' : ''}${said}`,
    { place: instruction.place },
  );
}
