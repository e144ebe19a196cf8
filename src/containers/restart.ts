import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../files/remove-tree.ts';
import type { Image } from '../images/store/image.ts';
import { sweepCgroups } from '../kernel/cgroups/cgroup.ts';
import { awaitDead } from '../runtime/state/container-store.ts';
import { MayflyError, withCleanup } from '../support/error.ts';
import { releaseAbandoned } from './abandoned.ts';
import { acquire } from './acquire.ts';
import type { ContainerParts } from './container-parts.ts';
import { type RecordedImage, readRecord } from './container-record.ts';
import type { Engine } from './engine.ts';
import { launchContainer, type Undo } from './launch.ts';
import { notFound } from './not-found.ts';

/**
 * Runs a container again that has ended: the same id, name, files and limits, and the same address unless another container has
 * got it meanwhile. A failure leaves it as it was.
 *
 * @throws MayflyError `container.not-found` when it has been removed, `container.layer-gone`; as a start does
 */
export async function startAgain(parts: ContainerParts): Promise<void> {
  const { engine } = parts;
  const { home, hierarchies } = engine;
  const { id } = parts.record.spec;
  const lock = await awaitDead(home, id);
  if (lock === 'gone') throw notFound(id);
  const undo: Undo[] = [() => lock.release()];
  try {
    const record = readRecord(home, id);
    if (record === undefined) throw notFound(id);
    const { name, createdAt, restarts, options, spec, attachment, published } = record;
    const image = imageOf(engine, record.image);
    const directory = { id, path: join(home.containers, id), lock };
    await releaseAbandoned(record);
    await sweepCgroups(hierarchies, [id]);
    // A volatile overlay leaves a mark in it that forbids the next mount, and nothing else of worth.
    await removeTree(join(directory.path, 'work'), engine.rung.launcher);
    mkdirSync(join(directory.path, 'work'), { mode: 0o700 });
    const request = { directory, options: { ...options, image }, image, undo };
    const { limits } = spec.cgroup;
    const wantedIp = attachment.ip;
    const { devices, privileges } = spec;
    const wanted = { wantedIp, wantedPorts: published };
    const acquired = await acquire(engine, { ...request, limits, devices, privileges, ...wanted });
    const { reference } = record.image;
    const next = { ...request, name, reference, acquired, restarts: restarts + 1 };
    const launched = await launchContainer(engine, { ...next, createdAt: new Date(createdAt) });
    parts.record = launched.record;
    parts.run = launched.run;
  } catch (error) {
    throw await withCleanup(error, async () => {
      for (const step of undo.toReversed()) await step();
    });
  }
}

function imageOf({ images }: Engine, { id, reference, config, layers }: RecordedImage): Image {
  const found = layers.map((diffId) => {
    const layer = images.layers.get(diffId);
    if (layer !== undefined) return layer;
    throw new MayflyError(
      'container.layer-gone',
      `a layer of ${reference} is no longer in the store: ${diffId}`,
      {
        hint: 'get the image again',
      },
    );
  });
  return { id, references: [reference], config, layers: found };
}
