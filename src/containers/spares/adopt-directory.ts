import { linkSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { exchange } from '../../files/exchange.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import type { Home } from '../../support/home.ts';
import { type ContainerRecord, writeRecord } from '../container-record.ts';

/** Where what the container had before lies in its directory, until it is removed. */
export const DROPPED = 'dropped';

/** What tells of a container's past, whatever process tree it has. */
const KEPT = ['told', 'timeline.json'];

/**
 * Puts a spare's directory and lock in the place of a container's, and says so in its record. The spare's shim goes on holding the
 * lock, which is a file and no name.
 *
 * Of whoever is killed at any instant the container is left as it was or as it is from then on, its processes dead, and the other of the
 * two under the spare's id, where its record tells a sweep that it is nobody's.
 *
 * @throws SystemError EINVAL where the file system cannot exchange two directories, which each one does that overlayfs can write to
 */
export function adoptDirectory(
  home: Home,
  {
    container,
    spare,
    formerCgroups,
  }: {
    container: ContainerRecord;
    spare: ContainerRecord;
    /** Those of the container that may still be there. */
    formerCgroups: readonly string[];
  },
): ContainerRecord {
  const [id, spareId] = [container.spec.id, spare.spec.id];
  const at = (...parts: string[]) => join(home.containers, ...parts);
  const adopted = { ...adoptedRecord(container, spare), formerCgroups };
  writeRecord(home, adopted, spareId);
  // Under both names: whoever is killed now leaves the container as it was.
  for (const name of KEPT) linkOver(at(id, name), at(spareId, name));
  exchange(at(id), at(spareId));
  renameSync(at(spareId), at(id, DROPPED));
  renameSync(at(`${spareId}.lock`), at(`${id}.lock`));
  return adopted;
}

/** The spare's, under the container's name, address and ports. Its cgroups keep their names, which the kernel cannot change in v2. */
function adoptedRecord(container: ContainerRecord, spare: ContainerRecord): ContainerRecord {
  const { id } = container.spec;
  const spec = JSON.parse(
    JSON.stringify(spare.spec).replaceAll(spare.spec.id, id),
  ) as ContainerRecord['spec'];
  const { name, createdAt, options, attachment, published, restarts } = container;
  return {
    ...spare,
    name,
    createdAt,
    options,
    attachment,
    published,
    restarts: restarts + 1,
    spec: {
      ...spec,
      cgroup: spare.spec.cgroup,
      forward: container.spec.forward,
      detached: container.spec.detached,
    },
  };
}

/** Gives a file, if it is there, another name as well, in the place of what has it. */
function linkOver(from: string, to: string): void {
  try {
    linkSync(from, `${to}.new`);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  renameSync(`${to}.new`, to);
}
