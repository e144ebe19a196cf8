import type { Engine } from '../containers/engine.ts';
import type { Stage } from '../images/dockerfile/stages.ts';
import type { BuildEvent, Entitlement } from './build-options.ts';
import type { BuildScope, GivenArguments } from './build-scope.ts';
import type { ContextIndex } from './context-index.ts';
import type { StageState } from './stage-state.ts';

/** What all stages of one build share. */
export interface Build {
  readonly engine: Engine;
  readonly given: GivenArguments;
  /** ARGs of the Dockerfile's head. */
  readonly globals: BuildScope;
  /** Directory on the file system of the layers, gone after the build. */
  readonly scratch: string;
  readonly secrets: Readonly<Record<string, string | Uint8Array>>;
  readonly noCache: boolean;
  readonly allow: readonly Entitlement[];
  readonly signal: AbortSignal | undefined;
  /** The files of the context; read when they are first asked for. */
  context(): ContextIndex;
  /** An earlier stage, built once however many ask for it, or an image. */
  source(name: string, stage: Stage): Promise<StageState>;
  report(event: BuildEvent): void;
}
