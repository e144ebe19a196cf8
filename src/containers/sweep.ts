import { sweepCgroups } from '../kernel/cgroups/cgroup.ts';
import {
  isAlive,
  listContainerIds,
  lockDead,
  removeContainerDirectory,
} from '../runtime/state/container-store.ts';
import { debugLog } from '../support/debug.ts';
import type { Home } from '../support/home.ts';
import { readRecord } from './container-record.ts';
import type { Engine } from './engine.ts';
import { sweepNames } from './names.ts';

const debug = debugLog('sweep');

/**
 * Removes what containers left behind whose processes were killed: a container whose lock can be taken is dead.
 *
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
    dead += 1;
    debug('container %s is dead, removing what it left', id);
    try {
      await sweepCgroups(engine.hierarchies, [id]);
      await removeContainerDirectory(home, id);
    } finally {
      lock.release();
    }
  }
  if (dead === 0) return;
  await engine.networks.sweep((id) => alive.has(id) || isAlive(home, id));
  sweepNames(home);
}

/** The shims of all living containers of this home, whatever process started them. */
export function* liveShims(home: Home): Iterable<{ pid: number }> {
  for (const id of listContainerIds(home)) {
    if (!isAlive(home, id)) continue;
    const record = readRecord(home, id);
    if (record !== undefined) yield { pid: record.shimPid };
  }
}
