import { setTimeout as delay } from 'node:timers/promises';
import { type Container, startContainer } from '../../src/index.ts';
import { openBare, query, untilAnswer } from './bare-postgres.ts';
import { type Row, toRow } from './sample.ts';
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
    const restored = await untilAnswer(async () => {
      await container.restore(snapshot);
      return container.url;
    });
    await snapshot.keepSpares(2);
    await delay(SETTLE);
    const copies: Container[] = [];
    const forked = await untilAnswer(async () => {
      const copy = await snapshot.start();
      copies.push(copy);
      return copy.url;
    });
    for (const copy of copies) await copy.stop();
    if (round < 0) continue;
    restore.ours.push(restored);
    fork.ours.push(forked);
    if (floor !== undefined) restore.floor.push(floor);
  }
  return [toRow('restore-warm', restore), toRow('fork-warm', fork)];
}
