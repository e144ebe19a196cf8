import { KILLED } from '../../runtime/launch/supervision.ts';
import type { ContainerParts } from '../container-parts.ts';
import { type ContainerRecord, presentCgroups } from '../container-record.ts';
import { adoptDirectory } from './adopt-directory.ts';
import { passOnLog } from './former-log.ts';
import { FormerTrees } from './former-trees.ts';

/** What a container becomes. */
export interface Next {
  readonly parts: ContainerParts;
  /** As it is to be recorded; it gets the container's id, name, address and ports. Default: as it is. */
  readonly record?: ContainerRecord;
  /** What it is started with again, from then on. Default: as before. */
  readonly options?: ContainerRecord['options'];
  /** What it was called by before, and had an address by. Default: it had none of its own. */
  readonly spare?: ContainerRecord;
}

/**
 * Puts what was made ready, and runs, into the place of a container's process tree, on disk and in its handle. What it was before stands
 * still or has ended, and is taken away a little later.
 */
export function become(parts: ContainerParts, { parts: next, spare, ...changed }: Next): void {
  const { engine, record, run } = parts;
  const { log } = record.spec;
  passOnLog({ from: log.path, to: next.record.spec.log.path, limit: log.limit });
  const adopted = adoptDirectory(engine.home, {
    container: { ...record, options: changed.options ?? record.options },
    spare: changed.record ?? next.record,
    formerCgroups: formerCgroupsOf(parts),
  });
  // Not before, because of one that outlived us nobody would know whose it is.
  if (record.spec.detached) next.run.supervision.detach();
  // What looks after its health goes by these parts.
  next.record = adopted;
  parts.record = adopted;
  parts.run = next.run;
  if (run.exit === undefined) parts.events.emit('exit', { exitCode: KILLED, oomKilled: false });
  parts.formerTrees ??= new FormerTrees(parts);
  parts.formerTrees.add({ run, spare });
}

/** The present one, and those of earlier trees: of what this handle has not taken away itself, those that are there. */
function formerCgroupsOf({ engine, record, formerTrees }: ContainerParts): string[] {
  const earlier =
    formerTrees === undefined ? presentCgroups(engine.hierarchies, record) : (record.formerCgroups ?? []);
  return [...new Set([record.spec.cgroup.name, ...earlier])];
}
