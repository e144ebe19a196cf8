import type { Limits } from '../../kernel/cgroups/limits.ts';
import { gatherMembers } from '../../kernel/cgroups/members.ts';
import { findPlaces } from '../../kernel/cgroups/places.ts';
import { updateCgroup } from '../../kernel/cgroups/update.ts';
import type { ContainerParts } from '../container-parts.ts';
import { readRecord, writeRecord } from '../container-record.ts';

/**
 * Puts limits in force and has everything counted that `stats` tells, from now on where it was not before. With the limits
 * that are in force already it is the second half alone.
 *
 * @throws MayflyError of `updateCgroup`
 */
export async function applyLimits(parts: ContainerParts, limits: Limits): Promise<void> {
  const { engine } = parts;
  const { cgroup } = refreshRecord(parts).spec;
  const { hierarchies, disk } = engine;
  const since = new Date().toISOString();
  await updateCgroup(hierarchies, { id: cgroup.name, limits, before: cgroup.limits, disk });
  const { record } = parts;
  const { spec } = record;
  const countedSince = spec.cgroup.countedSince ?? since;
  parts.record = { ...record, spec: { ...spec, cgroup: { ...spec.cgroup, limits, countedSince } } };
  writeRecord(engine.home, parts.record);
}

/**
 * From when memory, disk traffic and processes are counted. Counting begins now where it has not yet: on cgroup v1, when no
 * limit was asked for at the start.
 */
export async function ensureCounting(parts: ContainerParts): Promise<Date> {
  const { spec } = refreshRecord(parts);
  const { countedSince, limits } = spec.cgroup;
  if (countedSince === undefined) await applyLimits(parts, limits);
  else await gatherMembers(findPlaces(parts.engine.hierarchies, spec.cgroup.name));
  return new Date(parts.record.spec.cgroup.countedSince!);
}

/** Another process may have changed limits meanwhile. */
export function refreshRecord(parts: ContainerParts): ContainerParts['record'] {
  parts.record = readRecord(parts.engine.home, parts.record.spec.id) ?? parts.record;
  return parts.record;
}
