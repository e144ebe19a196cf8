import { isDeepStrictEqual } from 'node:util';
import { debugLog } from '../../support/debug.ts';
import type { ContainerParts } from '../container-parts.ts';
import type { Engine } from '../engine.ts';
import { copiedFiles } from './copied-files.ts';
import { type Succession, Successor } from './successor.ts';

const debug = debugLog('successors');

/** What a container is going to be, perhaps: at most one for each. */
export interface Expected {
  /** The snapshot on which it stands. */
  readonly snapshotId: string;
  readonly succession: Succession;
  /** What the container was when it was made ready. */
  readonly of: Pick<ContainerParts, 'run'> & { readonly limits: unknown };
  /** Undefined until its time has come. */
  successor: Promise<Successor | undefined> | undefined;
  readonly timer: NodeJS.Timeout;
  /** Settles when there is nothing left of what it was expected to become before. */
  readonly before: Promise<void>;
  /** The same for this one, once nobody expects it any longer. */
  gone: Promise<void> | undefined;
}

/**
 * Makes ready what a container may become, some milliseconds from now, in the place of what it was expected to become before.
 */
export function expectSuccession(
  parts: ContainerParts,
  { snapshotId, after, ...succession }: Succession & { snapshotId: string; after: number },
): void {
  const { engine, record, run } = parts;
  const { id, ids, cgroup } = record.spec;
  if (run.exit !== undefined || ids.kind === 'private') return;
  const before = forget(engine, id);
  const begin = () => {
    parts.copied ??= lookForCopied(parts);
    expected.successor = Successor.prepare(parts, succession).catch((error: unknown) => {
      debug('nothing is ready: %s', error);
      return undefined;
    });
  };
  const timer = setTimeout(begin, after).unref();
  const of = { run, limits: cgroup.limits };
  const state = { successor: undefined, gone: undefined };
  const expected: Expected = { snapshotId, succession, of, timer, before, ...state };
  engine.successors.set(id, expected);
  // It has nobody to succeed any longer, unless it is about to.
  run.exited.then(() => {
    if (engine.successors.get(id) === expected) void forget(engine, id);
  });
}

function lookForCopied(parts: ContainerParts): readonly string[] | undefined {
  try {
    return copiedFiles(parts);
  } catch (error) {
    debug('nothing is copied ahead: %s', error);
    return undefined;
  }
}

/** The one that is ready, or about to be, for what the container is to become, with that from now on the caller's; else undefined. */
export async function takeSuccessor(
  { engine, record, run }: ContainerParts,
  succession: Succession,
): Promise<Successor | undefined> {
  const { id, cgroup } = record.spec;
  const expected = engine.successors.get(id);
  if (expected === undefined || expected.gone !== undefined) return undefined;
  const of = { run, limits: cgroup.limits };
  const fits =
    expected.of.run === run &&
    isDeepStrictEqual(plain([expected.of.limits, expected.succession]), plain([of.limits, succession]));
  clearTimeout(expected.timer);
  if (!fits) {
    await forget(engine, id);
    return undefined;
  }
  const successor = await expected.successor;
  if (successor?.waits !== true || expected.gone !== undefined) {
    await forget(engine, id);
    return undefined;
  }
  engine.successors.delete(id);
  return successor;
}

/** As it is written down: what is undefined is not there. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/**
 * Takes away what one container was expected to become; resolves when it has nothing of the container's any longer. Never rejects: what
 * stays goes with the next sweep.
 */
export async function forget({ successors }: Engine, containerId: string): Promise<void> {
  const expected = successors.get(containerId);
  if (expected === undefined) return;
  expected.gone ??= takeAway(expected);
  await expected.gone;
  if (successors.get(containerId) === expected) successors.delete(containerId);
}

async function takeAway({ timer, before, successor }: Expected): Promise<void> {
  clearTimeout(timer);
  try {
    await before;
    await (await successor)?.close();
  } catch (error) {
    debug('what was made ready is still there: %s', error);
  }
}

/** The same for all that stand on a snapshot. */
export async function forgetSnapshot(engine: Engine, snapshotId: string): Promise<void> {
  const ids = [...engine.successors].filter(([, expected]) => expected.snapshotId === snapshotId);
  await Promise.all(ids.map(([id]) => forget(engine, id)));
}
