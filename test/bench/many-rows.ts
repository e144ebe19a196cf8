import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Container, type Image, startContainer } from '../../src/index.ts';
import { milliseconds, plainRow, type Row } from './sample.ts';

const AT_ONCE = 50;
const ROUNDS = 7;
const WARM_UP = 2;
/** In which the kernel takes the network namespaces of the round before apart. */
const SETTLE = 1000;

/** Row `concurrent-50`: 50 trivial containers with a network started at once; milliseconds until the last runs, by 50. */
export async function concurrentRow(image: Image): Promise<Row> {
  const samples: number[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    let containers: Container[] = [];
    const time = await milliseconds(async () => {
      containers = await startMany(image);
    });
    await Promise.all(containers.map((container) => container.stop()));
    if (round >= 0) samples.push(time / AT_ONCE);
    await delay(SETTLE);
  }
  return plainRow('concurrent-50', samples);
}

/** Row `memory`: resident memory of the processes that a container has beside its own, the shim and the init. */
export async function memoryRow(image: Image): Promise<Row> {
  const containers = await startMany(image);
  const samples = await Promise.all(
    containers.map(async (container) => {
      const init = (await container.inspect()).State.Pid;
      const shim = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${init}/status`, 'latin1'))![1]);
      return residentKiB(shim) + residentKiB(init);
    }),
  );
  await Promise.all(containers.map((container) => container.stop()));
  return plainRow('memory', samples, 'KiB');
}

function startMany(image: Image): Promise<Container[]> {
  const options = { image, command: ['sleep', '1000'], stopTimeout: 0 };
  return Promise.all(Array.from({ length: AT_ONCE }, () => startContainer(options)));
}

function residentKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]);
}
