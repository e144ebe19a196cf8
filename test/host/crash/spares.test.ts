import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { getSnapshot, startContainer } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { survivesKills } from '../../fixtures/random-kills.ts';
import { requires } from '../../requires.ts';

const ROUNDS = 25;
const SEED = Number(process.env.MAYFLY_CRASH_SEED ?? Date.now() % 1_000_000);
const VICTIM = join(import.meta.dirname, '../../fixtures/spare-victim.ts');

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('hand-overs of spares', () => {
  test.each([
    ['', []],
    [' with a published port', ['published']],
  ])(
    `of containers%s: nothing is left after ${ROUNDS} kills at random instants, and the snapshot is whole`,
    {
      timeout: 600_000,
    },
    async (_, args) => {
      await debian();
      await survivesKills({
        rounds: ROUNDS,
        seed: SEED,
        latest: 60,
        home: TEST_HOME,
        victim: () =>
          spawn(process.execPath, ['--import', 'tsx', '--conditions=mayfly-source', VICTIM, ...args], {
            stdio: ['ignore', 'pipe', 'inherit'],
            env: { ...process.env, MAYFLY_TEST_HOME: TEST_HOME },
          }),
        sweep: async () => {
          await (await startContainer({ image: 'test/debian:bookworm' })).stop();
          const snapshot = await getSnapshot('handed-over');
          const copy = await snapshot.start({ stopTimeout: 0 });
          expect((await copy.exec(['cat', '/state'])).stdout).toBe('pristine\n');
          await copy.stop();
        },
      });
      await (await getSnapshot('handed-over')).remove();
    },
  );
});
