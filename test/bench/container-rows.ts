import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Container, type Image, startContainer } from '../../src/index.ts';
import { openFloor } from './floor.ts';
import { connectPeer, type Peer } from './peer.ts';
import { type Figures, milliseconds, type Row, toRow } from './sample.ts';

const ROUNDS = 60;
const WARM_UP = 15;
/**
 * The kernel takes network namespaces down in the background, one by one, under the lock that the next start needs.
 * Without a pause, what is measured is the backlog of all the rounds before.
 */
const SETTLE = 50;
/** What a test process with a framework or two has in memory. */
const BALLAST = 300 << 20;

interface Samples {
  readonly start: Figures & { ours: number[]; floor: number[]; peer: number[] };
  readonly exec: Figures & { ours: number[]; floor: number[]; peer: number[] };
  readonly stop: Figures & { ours: number[]; floor: number[]; peer: number[] };
}

const empty = () => ({ ours: [] as number[], floor: [] as number[], peer: [] as number[] });

/** Rows `start`, `exec` and `stop`: ours, the floor and the peer take turns, so that a slow minute slows all of them. */
export async function containerRows(image: Image, scratch: string): Promise<Row[]> {
  const ballast = Buffer.alloc(BALLAST, 1);
  const samples: Samples = { start: empty(), exec: empty(), stop: empty() };
  await using floor = await openFloor(image.layers[0]!.directory, join(scratch, 'floor'));
  const peer = await connectPeer();
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const target = round < 0 ? { start: empty(), exec: empty(), stop: empty() } : samples;
    await delay(SETTLE);
    target.start.floor.push(await floor.sample());
    await delay(SETTLE);
    await oneRound(image, target);
    if (peer !== undefined && round >= 0 && round % 4 === 0) await peerRound(peer, target);
  }
  if (ballast[BALLAST - 1] !== 1) throw new Error('the ballast was not kept');
  return (['start', 'exec', 'stop'] as const).map((name) => toRow(name, samples[name]));
}

async function oneRound(image: Image, samples: Samples): Promise<void> {
  let container: Container | undefined;
  samples.start.ours.push(
    await milliseconds(async () => {
      container = await startContainer({ image, command: ['sleep', '1000'] });
    }),
  );
  const running = container!;
  samples.exec.ours.push(await milliseconds(() => running.exec(['true'])));
  samples.stop.ours.push(await milliseconds(() => running.stop()));
}

async function peerRound(peer: Peer, samples: Samples): Promise<void> {
  const { start, exec, stop } = await peer.round();
  samples.start.peer.push(start);
  samples.exec.peer.push(exec);
  samples.stop.peer.push(stop);
}
