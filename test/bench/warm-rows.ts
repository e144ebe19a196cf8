import { setTimeout as delay } from 'node:timers/promises';
import { startContainer } from '../../src/index.ts';
import { firstQuery, openBare, query } from './bare-postgres.ts';
import { milliseconds, type Row, toRow } from './sample.ts';
import { CHANGE, SEED, SETTLE } from './snapshot-rows.ts';

const ROUNDS = 25;
const WARM_UP = 3;

/**
 * Rows `restore-warm` and `fork-warm`: from the call to the answer of the first query of a PostgreSQL with 100,000 rows, handed over
 * by a spare that stands ready, beside the start of the server alone.
 */
export async function warmRows(): Promise<Row[]> {
  const restore = { ours: [] as number[], floor: [] as number[], peer: [] };
  const fork = { ours: [] as number[], floor: restore.floor, peer: [] };
  using bare = await openBare();
  await using container = await startContainer('postgres', { initSql: SEED });
  await using snapshot = await container.snapshot();
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    await query(container.url, CHANGE);
    const floor = await bare?.sample();
    await snapshot.keepSpares(2);
    await delay(SETTLE);
    const restored = await milliseconds(async () => {
      await container.restore(snapshot);
      await firstQuery(container.url);
    });
    await snapshot.keepSpares(2);
    await delay(SETTLE);
    const begin = performance.now();
    await using copy = await snapshot.start();
    await firstQuery(copy.url);
    const forked = performance.now() - begin;
    if (round < 0) continue;
    restore.ours.push(restored);
    fork.ours.push(forked);
    if (floor !== undefined) restore.floor.push(floor);
  }
  return [toRow('restore-warm', restore), toRow('fork-warm', fork)];
}
