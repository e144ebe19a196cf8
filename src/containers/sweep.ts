import { sweepCgroups } from '../kernel/cgroups/cgroup.ts';
import type { LockedFile } from '../kernel/processes/file-lock.ts';
import {
  isAlive,
  listContainerIds,
  lockDead,
  removeContainerDirectory,
} from '../runtime/state/container-store.ts';
import { debugLog } from '../support/debug.ts';
import { isMayflyError } from '../support/error.ts';
import type { Home } from '../support/home.ts';
import { releaseAbandoned } from './abandoned.ts';
import { type ContainerRecord, cgroupNames, readRecord } from './container-record.ts';
import type { Engine } from './engine.ts';
import { sweepIds } from './id-ranges.ts';
import { sweepNames } from './names.ts';
import { finishChange } from './pending-change.ts';
import { isKept } from './remains.ts';
import { sweepSnapshots } from './snapshots/snapshot-files.ts';
import { giveBack } from './stop.ts';

const debug = debugLog('sweep');

/**
 * Removes what containers left behind whose processes were killed: a container whose lock can be taken is dead.
 *
 * Of detached ones the directory stays until somebody removes them; of those that this or another living process started, all.
 * Safe for any number of processes at once; each dead container is taken by one of them.
 */
export async function sweep(engine: Engine): Promise<void> {
  const { home, hierarchies, networks, rung } = engine;
  const alive = new Set<string>();
  const dead = new Map<string, LockedFile>();
  let changed = false;
  try {
    for (const id of listContainerIds(home)) {
      const lock = lockDead(home, id);
      const verdict = lock === undefined ? 'alive' : await judge(engine, id);
      if (verdict === 'dead') dead.set(id, lock!);
      else lock?.release();
      if (verdict === 'alive') alive.add(id);
      else changed = true;
    }
    // Once a process even so, for what nothing is there any longer to find it by.
    if (!changed && engine.swept) return;
    if (!engine.swept) await sweepSnapshots(engine);
    engine.swept = true;
    await sweepCgroups(
      hierarchies,
      [...dead.keys()].flatMap((id) => {
        const record = recordOf(home, id);
        // Those of the container that it was about to take over from may be in use.
        return typeof record === 'object' && record.spec.id === id ? [id, ...cgroupNames(record)] : [id];
      }),
    );
    await networks.sweep((id) => !dead.has(id) && (alive.has(id) || isAlive(home, id)));
    sweepNames(home, (id) => dead.has(id));
    sweepIds(home, (id) => !dead.has(id) && isPresent(home, id));
    // Last, because it is what a sweep finds the rest by: one that is killed before leaves it to the next.
    for (const id of dead.keys()) await removeContainerDirectory(home, { id, launcher: rung.launcher });
  } finally {
    for (const lock of dead.values()) lock.release();
  }
}

/** What is to become of a container whose lock the caller holds; `ended`: it stays, but for what it had of the network. */
async function judge(engine: Engine, id: string): Promise<'alive' | 'ended' | 'dead'> {
  const found = recordOf(engine.home, id);
  if (found === 'unreadable') return 'alive';
  if (found !== undefined) await releaseAbandoned(found);
  // A spare that was about to take over from somebody is nobody.
  if (found === undefined || found.spec.id !== id || !isKept(found)) {
    debug('container %s is dead, removing what it left', id);
    return 'dead';
  }
  const record = await finishChange(engine, found);
  if (record.released || !record.spec.detached) return 'alive';
  debug('container %s has ended, giving back its address', id);
  await giveBack(engine, record);
  return 'ended';
}

/** The shims of all living containers of this home, whatever process started them. */
export function* liveShims(home: Home): Iterable<{ pid: number }> {
  for (const id of listContainerIds(home)) {
    if (!isAlive(home, id)) continue;
    const record = recordOf(home, id);
    if (typeof record === 'object') yield { pid: record.shimPid };
  }
}

/** True while a container lives, and while it is kept after its end. */
export function isPresent(home: Home, id: string): boolean {
  if (isAlive(home, id)) return true;
  const record = recordOf(home, id);
  return record === 'unreadable' || (record !== undefined && isKept(record));
}

function recordOf(home: Home, id: string): ContainerRecord | 'unreadable' | undefined {
  try {
    return readRecord(home, id);
  } catch (error) {
    if (isMayflyError(error, 'container.unreadable-record')) return 'unreadable';
    throw error;
  }
}
