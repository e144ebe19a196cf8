import { execa } from 'execa';
import { TEST_HOME } from '../fixtures/home.ts';
import { milliseconds, plainRow, type Row } from './sample.ts';

const TESTS = 100;
const ROUNDS = 3;

/**
 * Row `suite-100`: milliseconds of wall time by test, of a run of vitest from its start to its end: 100 tests in two workers, each on
 * a PostgreSQL as it was seeded. The first run, which seeds, does not count.
 */
export async function suiteRow(): Promise<Row> {
  const argv = ['vitest', 'run', '--config', 'test/fixtures/with-containers/vitest.config.ts'];
  const env = { MAYFLY_TEST_HOME: TEST_HOME, SPECS: 'suite/*.spec.ts', WORKERS: '2' };
  const samples: number[] = [];
  for (let round = -1; round < ROUNDS; round += 1) {
    const time = await milliseconds(() => execa('npx', argv, { env }));
    if (round >= 0) samples.push(time / TESTS);
  }
  return plainRow('suite-100', samples);
}
