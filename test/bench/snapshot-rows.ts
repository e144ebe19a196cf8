import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { type Container, startContainer } from '../../src/index.ts';
import { openBare, query, untilAnswer } from './bare-postgres.ts';
import { connectPeer } from './peer.ts';
import { milliseconds, type Row, toRow } from './sample.ts';

const ROUNDS = 25;
const WARM_UP = 3;
const PEER_EVERY = 3;
/** The kernel takes namespaces and dropped files away in the background. */
export const SETTLE = 50;
export const SEED = `
  create table filled as select n as id, md5(n::text) as text from generate_series(1, 100000) n;
  create unique index on filled (id);`;
/** What the test does between a snapshot and the next restore. */
export const CHANGE = `update filled set text = 'changed' where id % 100 = 0`;

interface Samples {
  readonly ours: number[];
  readonly floor: number[];
  readonly peer: number[];
}

/**
 * Of a PostgreSQL with 100,000 rows in it: `snapshot`, beside `cp -a` of what the container has written, and `restore-cold`, from the
 * call to the answer of the first query, beside the start of the server alone on a directory that needs no recovery.
 */
export async function snapshotRows(scratch: string): Promise<Row[]> {
  const snapshot: Samples = { ours: [], floor: [], peer: [] };
  const restore: Samples = { ours: [], floor: [], peer: [] };
  using bare = await openBare();
  const peer = await connectPeer();
  await using theirs = await peer?.seededPostgres(SEED, CHANGE);
  await using container = await startContainer('postgres', { initSql: SEED });
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    await query(container.url, CHANGE);
    const copied = await milliseconds(() => copyUpper(container, scratch));
    rmSync(join(scratch, 'upper'), { recursive: true });
    await delay(SETTLE);
    const times = await oneRound(container);
    const floor = await bare?.sample();
    if (round < 0) continue;
    snapshot.ours.push(times.snapshot);
    snapshot.floor.push(copied);
    restore.ours.push(times.restore);
    if (floor !== undefined) restore.floor.push(floor);
    if (theirs === undefined || round % PEER_EVERY !== 0) continue;
    const sample = await theirs.sample();
    snapshot.peer.push(sample.snapshot);
    restore.peer.push(sample.restore);
  }
  return [toRow('snapshot', snapshot), toRow('restore-cold', restore)];
}

async function oneRound(
  container: Container & { readonly url: string },
): Promise<{ snapshot: number; restore: number }> {
  const begin = performance.now();
  await using snapshot = await container.snapshot();
  const taken = performance.now() - begin;
  await query(container.url, CHANGE);
  await delay(SETTLE);
  const restore = await untilAnswer(async () => {
    await container.restore(snapshot);
    return container.url;
  });
  return { snapshot: taken, restore };
}

async function copyUpper(container: Container, scratch: string): Promise<void> {
  await execa('cp', ['-a', join(process.env.MAYFLY_HOME!, 'containers', container.id, 'upper'), scratch]);
}
