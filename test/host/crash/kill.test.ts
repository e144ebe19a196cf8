import { test } from 'vitest';
import { startContainer } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { startFixture } from '../../fixtures/program.ts';
import { survivesKills } from '../../fixtures/random-kills.ts';

const ROUNDS = Number(process.env.MAYFLY_CRASH_ROUNDS ?? 200);
const SEED = Number(process.env.MAYFLY_CRASH_SEED ?? Date.now() % 1_000_000);

test(`nothing is left after ${ROUNDS} kills at random instants`, { timeout: ROUNDS * 4_000 }, async () => {
  await debian();
  await survivesKills({
    rounds: ROUNDS,
    seed: SEED,
    latest: 90,
    home: TEST_HOME,
    victim: () => startFixture('crash-victim.ts', [], { MAYFLY_TEST_HOME: TEST_HOME }),
    sweep: async () => (await startContainer({ image: 'test/debian:bookworm' })).stop(),
  });
});
