import type { ContainerRecord } from './container-record.ts';
import type { Engine } from './engine.ts';
import type { ContainerEmitter } from './events.ts';
import type { Run } from './run.ts';
import type { Service } from './service.ts';
import type { FormerTrees } from './spares/former-trees.ts';
import type { WaitStrategy } from './wait/strategy.ts';

/** What a handle is made of; what functions that do something with a container take. */
export interface ContainerParts {
  readonly engine: Engine;
  readonly events: ContainerEmitter;
  /** As it is on disk. A restart puts another one in its place, as it does with the run. */
  record: ContainerRecord;
  run: Run;
  /** How this process tells that it is ready, if it has been told. */
  waitFor?: WaitStrategy | undefined;
  /** What others have taken over from, if any have. */
  formerTrees?: FormerTrees | undefined;
  /** This process has restored it, and may well do so again. */
  restored?: boolean;
  /** Absolute paths of files that it writes to when it begins, once that has been seen. */
  copied?: readonly string[] | undefined;
  /** What a preset has told of it. */
  service?: Service | undefined;
}
