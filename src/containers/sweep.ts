import { sweepCgroups } from '../kernel/cgroups/cgroup.ts';
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
import { type ContainerRecord, readRecord } from './container-record.ts';
import type { Engine } from './engine.ts';
import { sweepIds } from './id-ranges.ts';
import { sweepNames } from './names.ts';
import { isKept } from './remains.ts';
import { giveBack } from './stop.ts';

const debug = debugLog('sweep');

/**
 * Removes what containers left behind whose processes were killed: a container whose lock can be taken is dead.
 *
 * Of detached ones the directory stays until somebody removes them; of those that this or another living process started, all.
 * Safe for any number of processes at once; each dead container is taken by one of them.
 */
export async function sweep(engine: Engine): Promise<void> {
  const { home } = engine;
  const alive = new Set<string>();
  let dead = 0;
  for (const id of listContainerIds(home)) {
    const lock = lockDead(home, id);
    if (lock === undefined) {
      alive.add(id);
      continue;
    }
    try {
      const remains = await sweepOne(engine, id);
      if (remains) alive.add(id);
      else dead += 1;
    } finally {
      lock.release();
    }
  }
  if (dead === 0) return;
  await engine.networks.sweep((id) => alive.has(id) || isAlive(home, id));
  sweepNames(home);
  sweepIds(home, (id) => isPresent(home, id));
}

/** True when there was nothing to do. The caller holds the container's lock. */
async function sweepOne(engine: Engine, id: string): Promise<boolean> {
  const { home, hierarchies } = engine;
  const record = recordOf(home, id);
  if (record === 'unreadable') return true;
  if (record !== undefined) await releaseAbandoned(record);
  if (record !== undefined && isKept(record)) {
    if (record.released || !record.spec.detached) return true;
    debug('container %s has ended, giving back its address', id);
    await giveBack(engine, record);
    return false;
  }
  debug('container %s is dead, removing what it left', id);
  await sweepCgroups(hierarchies, [id]);
  await removeContainerDirectory(home, { id, launcher: engine.rung.launcher });
  return false;
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
