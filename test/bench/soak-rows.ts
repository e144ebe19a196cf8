import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Image, startContainer } from '../../src/index.ts';
import { plainRow, type Row } from './sample.ts';

const CYCLES = 1000;
/** Until then resident memory still finds its level: measured over 4,000 cycles, it is flat from 1,500 on. */
const WARM_UP = 1500;
const SAMPLE_EVERY = 50;

/**
 * Rows `soak-fds` and `soak-rss`: what 1,000 starts and stops in one process leave in it. Descriptors more than before, and the
 * slope of its resident memory in MiB per 1,000 cycles, by least squares over samples taken after a garbage collection.
 */
export async function soakRows(image: Image): Promise<Row[]> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const options = { image, command: ['sleep', '1000'], stopTimeout: 0 };
  const samples: { cycle: number; mebibytes: number }[] = [];
  let before = 0;
  for (let cycle = -WARM_UP; cycle < CYCLES; cycle += 1) {
    if (cycle === 0) before = openFds();
    if (cycle >= 0 && cycle % SAMPLE_EVERY === 0) {
      collect();
      samples.push({ cycle, mebibytes: process.memoryUsage.rss() / 2 ** 20 });
    }
    const container = await startContainer(options);
    await container.stop();
  }
  return [
    plainRow('soak-fds', [openFds() - before], 'count'),
    plainRow('soak-rss', [slope(samples) * CYCLES], 'MiB'),
  ];
}

const openFds = () => readdirSync('/proc/self/fd').length;

/** Of the line that fits best. */
function slope(samples: readonly { cycle: number; mebibytes: number }[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(samples.map(({ cycle }) => cycle));
  const y = mean(samples.map(({ mebibytes }) => mebibytes));
  const covariance = samples.reduce((sum, s) => sum + (s.cycle - x) * (s.mebibytes - y), 0);
  return covariance / samples.reduce((sum, s) => sum + (s.cycle - x) ** 2, 0);
}
