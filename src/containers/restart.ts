import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../files/remove-tree.ts';
import { sweepCgroups } from '../kernel/cgroups/cgroup.ts';
import { awaitDead } from '../runtime/state/container-store.ts';
import { withCleanup } from '../support/error.ts';
import { releaseAbandoned } from './abandoned.ts';
import { acquire } from './acquire.ts';
import type { ContainerParts } from './container-parts.ts';
import { type ContainerRecord, cgroupNames, readRecord } from './container-record.ts';
import { type KeptPlace, letGo } from './kept-place.ts';
import { type Launch, launchContainer, type Undo } from './launch.ts';
import { notFound } from './not-found.ts';
import { completeChange, finishChange } from './pending-change.ts';
import { openRecordedImage } from './recorded-image.ts';
import { forget } from './successors/successors.ts';

export interface Again {
  /** What the container has kept of the run before; default: nothing, but it gets the same if that is free. */
  readonly kept?: KeptPlace | undefined;
  /**
   * Done while the container has no processes and nobody else can take it. Result: what is recorded of it from then on, a
   * change that has been begun included, which is finished. Default: nothing.
   */
  readonly prepare?: (before: ContainerRecord) => ContainerRecord | Promise<ContainerRecord>;
}

/**
 * Runs a container again that has ended: the same id, name, files and limits, and the same address unless another container has
 * got it meanwhile. A failure leaves it as it was.
 *
 * @throws MayflyError `container.not-found` when it has been removed, `container.layer-gone`; as a start does
 */
export async function startAgain(
  parts: ContainerParts,
  { kept, prepare, attached }: Again & Pick<Launch, 'attached'> = {},
): Promise<void> {
  const { engine } = parts;
  const { home, hierarchies } = engine;
  const { id } = parts.record.spec;
  const undo: Undo[] = kept === undefined ? [] : [() => letGo(kept)];
  try {
    const lock = await awaitDead(home, id);
    if (lock === 'gone') throw notFound(id);
    undo.push(() => lock.release());
    // What was made ready beside it has its ports.
    await Promise.all([parts.formerTrees?.clear(), forget(engine, id)]);
    const before = readRecord(home, id);
    if (before === undefined) throw notFound(id);
    const directory = { id, path: join(home.containers, id), lock };
    const settled = await finishChange(engine, before);
    const record = await completeChange(engine, (await prepare?.(settled)) ?? settled);
    parts.record = record;
    const { name, createdAt, restarts, options, spec, attachment, published } = record;
    const image = openRecordedImage(engine, record.image);
    await releaseAbandoned(record);
    await sweepCgroups(hierarchies, cgroupNames(before));
    // A volatile overlay leaves a mark in it that forbids the next mount, and nothing else of worth.
    await removeTree(join(directory.path, 'work'), engine.rung.launcher);
    mkdirSync(join(directory.path, 'work'), { mode: 0o700 });
    const request = { directory, options: { ...options, image }, image, undo };
    const { limits } = spec.cgroup;
    const { devices, privileges } = spec;
    const wanted = { wantedIp: attachment.ip, wantedPorts: published, kept };
    const acquired = await acquire(engine, { ...request, limits, devices, privileges, ...wanted });
    // Its network may have another subnet by now. What it had there would stay until some sweep.
    if (acquired.attachment.facts.ip !== attachment.ip) engine.networks.release(attachment, id);
    const { reference } = record.image;
    const next = { ...request, name, reference, acquired, attached, restarts: restarts + 1 };
    const launched = await launchContainer(engine, { ...next, createdAt: new Date(createdAt) });
    parts.record = launched.record;
    parts.run = launched.run;
  } catch (error) {
    throw await withCleanup(error, async () => {
      for (const step of undo.toReversed()) await step();
    });
  }
}
