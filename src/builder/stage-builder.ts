import { changeConfig, changesConfig } from '../images/dockerfile/config-changes.ts';
import { type Instruction, parseDockerfile } from '../images/dockerfile/parse.ts';
import { placed } from '../images/dockerfile/placed.ts';
import { type Stage, titleOf } from '../images/dockerfile/stages.ts';
import { stepText } from '../images/dockerfile/step-text.ts';
import { atPlace } from './at-place.ts';
import type { Build } from './build.ts';
import { BuildScope } from './build-scope.ts';
import { runCopyStep } from './copy-layer.ts';
import { runRunStep } from './run-layer.ts';
import { type StageState, withStep } from './stage-state.ts';
import { ensureWorkingDirectory } from './working-directory.ts';

/** What an instruction works with. */
export interface StepContext {
  readonly build: Build;
  readonly stage: Stage;
  readonly state: StageState;
  readonly scope: BuildScope;
  readonly instruction: Instruction;
  /** Whether the stage has had a CMD. */
  readonly hasCmd: boolean;
}

/** A step's outcome; `cached` when an earlier build had made its layer. */
export interface StepResult {
  readonly state: StageState;
  readonly cached: boolean;
}

/** Builds one stage on its base: instruction after instruction, those first that the base image left for its users. */
export async function buildStage(
  build: Build,
  { stage, base }: { stage: Stage; base: StageState },
): Promise<StageState> {
  const scope = new BuildScope(build.given, build.globals);
  const { OnBuild = [], ...config } = base.config;
  let state: StageState = { ...base, config };
  let hasCmd = false;
  const instructions = [...triggers(OnBuild), ...stage.steps];
  const of = instructions.length + 1;
  const from = { ...stepOf(stage, stage.from), number: 1, of };
  build.report({ kind: 'begin', ...from });
  build.report({ kind: 'end', ...from, cached: true });
  for (const [at, instruction] of instructions.entries()) {
    build.signal?.throwIfAborted();
    const step = { ...stepOf(stage, instruction), number: at + 2, of };
    build.report({ kind: 'begin', ...step });
    const result = await atPlace(instruction, {
      step: () => runStep({ build, stage, state, scope, instruction, hasCmd }),
      signal: build.signal,
    });
    hasCmd ||= instruction.keyword === 'CMD';
    state = result.state;
    build.report({ kind: 'end', ...step, cached: result.cached });
  }
  return state;
}

const stepOf = (stage: Stage, instruction: Instruction) => ({
  stage: titleOf(stage),
  step: stepText(instruction),
});

async function runStep(context: StepContext): Promise<StepResult> {
  const { state, scope, instruction, hasCmd } = context;
  const { keyword, args, place } = instruction;
  const step = stepText(instruction);
  if (keyword === 'RUN') return runRunStep(context);
  if (keyword === 'COPY' || keyword === 'ADD') return runCopyStep(context);
  if (keyword === 'ARG') {
    scope.declare(instruction, state.config.Env);
    return { state: withStep(state, { step }), cached: true };
  }
  if (keyword === 'MAINTAINER')
    return { state: { ...withStep(state, { step }), author: args }, cached: true };
  if (!changesConfig(instruction)) throw new Error(`${keyword} within a stage`);
  const config = placed(place, () =>
    changeConfig(state.config, instruction, { scope: scope.scope(state.config.Env ?? []), hasCmd }),
  );
  if (keyword === 'WORKDIR') return ensureWorkingDirectory(context, config);
  return { state: withStep(state, { step, config }), cached: true };
}

/** The base image's ONBUILD instructions, which count as the first of the stage. */
function triggers(onBuild: readonly string[]): readonly Instruction[] {
  return onBuild.flatMap((text) => parseDockerfile(text, 'ONBUILD').instructions);
}
