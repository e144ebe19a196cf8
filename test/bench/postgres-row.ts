import { type Container, startContainer } from '../../src/index.ts';
import { openBare, untilAnswer } from './bare-postgres.ts';
import { connectPeer } from './peer.ts';
import { type Row, toRow } from './sample.ts';

const ROUNDS = 25;
const WARM_UP = 3;

/** Row `postgres`: from nothing to the answer of the first query, beside the server alone on an initialised directory. */
export async function postgresRow(): Promise<Row> {
  const samples = { ours: [] as number[], floor: [] as number[], peer: [] as number[] };
  using bare = await openBare();
  const peer = await connectPeer();
  await (await startContainer('postgres')).stop();
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const floor = await bare?.sample();
    const ours = await containerRound();
    const theirs = peer !== undefined && round >= 0 && round % 3 === 0 ? await peer.postgres() : undefined;
    if (round < 0) continue;
    samples.ours.push(ours);
    if (floor !== undefined) samples.floor.push(floor);
    if (theirs !== undefined) samples.peer.push(theirs);
  }
  return toRow('postgres', samples);
}

async function containerRound(): Promise<number> {
  const containers: Container[] = [];
  const time = await untilAnswer(async () => {
    const container = await startContainer('postgres');
    containers.push(container);
    return container.url;
  });
  for (const container of containers) await container.stop();
  return time;
}
