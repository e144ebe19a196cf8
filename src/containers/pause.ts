import { beginFreeze, freeze, isFrozen, thaw } from '../kernel/cgroups/freeze.ts';
import { findPlaces, type Places } from '../kernel/cgroups/places.ts';
import { deferred } from '../support/deferred.ts';
import { MayflyError } from '../support/error.ts';
import type { ContainerParts } from './container-parts.ts';
import { requireRunning } from './running.ts';
import { stillByCgroup } from './still-by-cgroup.ts';
import { stillBySignals } from './still-by-signals.ts';

/**
 * Stops all processes of a container where they are; resolves when they stand still. Pausing twice is no error.
 *
 * @throws ContainerError `container.exited`; MayflyError `wait.timeout` when one stands still only after 10 seconds
 */
export async function pauseContainer(parts: ContainerParts): Promise<void> {
  await requireRunning(parts, 'pausing it');
  await freeze(placesOf(parts));
}

/** The same without waiting until they stand still; false where nothing can be paused. */
export function beginPause(parts: ContainerParts): boolean {
  return beginFreeze(placesOf(parts));
}

/** Lets them go on; nothing happens when they do. */
export async function unpauseContainer(parts: ContainerParts): Promise<void> {
  await requireRunning(parts, 'unpausing it');
  thaw(placesOf(parts));
}

export function isPaused(parts: ContainerParts): boolean {
  return parts.run.exit === undefined && (parts.run.still || isFrozen(placesOf(parts)));
}

/** Lets them go on, whatever state the container is in. */
export function wakeContainer(parts: ContainerParts): void {
  thaw(placesOf(parts));
}

/**
 * Does something while all processes stand still, and lets them go on afterwards, unless they stood still already or there are
 * none: whoever has paused a container himself unpauses it himself.
 *
 * @throws MayflyError `cgroup.cannot-freeze`, `wait.timeout`
 */
export async function standingStill<T>(parts: ContainerParts, work: () => Promise<T>): Promise<T> {
  const { run } = parts;
  // One after the other: the first to be done lets the processes go on.
  const before = run.standing;
  const done = deferred<void>();
  run.standing = done.promise;
  try {
    await before;
    return await standStill(parts, work);
  } finally {
    done.resolve();
  }
}

async function standStill<T>(parts: ContainerParts, work: () => Promise<T>): Promise<T> {
  if (parts.run.exit !== undefined || isPaused(parts)) return work();
  const places = placesOf(parts);
  if (places.unified === undefined) return stillBySignals(parts, work);
  await requireRunning(parts, 'stopping its processes');
  return stillByCgroup(parts, { places, work });
}

/** @throws MayflyError `container.paused`: whatever is started in a paused container stands still, too */
export function requireUnpaused(parts: ContainerParts): void {
  if (!isPaused(parts)) return;
  throw new MayflyError('container.paused', `${parts.record.name} is paused`, { hint: 'unpause it first' });
}

function placesOf({ engine, record }: ContainerParts): Places {
  return findPlaces(engine.hierarchies, record.spec.cgroup.name);
}
