import { once } from 'node:events';
import { expect, test } from 'vitest';
import { openEngine } from '../../../src/containers/engine.ts';
import { getContainer, getSnapshot, listContainers, startContainer } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, findLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { startFixture } from '../../fixtures/program.ts';
import { survivesKills } from '../../fixtures/random-kills.ts';
import { requires } from '../../requires.ts';

const ROUNDS = 25;
const SEED = Number(process.env.MAYFLY_CRASH_SEED ?? Date.now() % 1_000_000);

const victim = (args: readonly string[]) =>
  startFixture('spare-victim.ts', args, { MAYFLY_TEST_HOME: TEST_HOME });

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('hand-overs of spares', () => {
  test.each([
    ['', []],
    [' with a published port', ['published']],
    [' with one that outlive who restores them', ['detached']],
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
        victim: () => victim(args),
        // As they were started, or as they are restored; those that were killed, too, are there until they are removed.
        afterKill: async () => {
          for (const { id, detached } of await listContainers({ all: true }))
            if (detached) await (await getContainer(id)).remove({ force: true });
        },
        sweep: async () => {
          // As in a process that has just begun: of a spare that was handed over a moment before the kill there is a name and an address,
          // and nothing any longer to find them by.
          openEngine().swept = false;
          await (await startContainer({ image: 'test/debian:bookworm' })).stop();
          const snapshot = await getSnapshot('handed-over');
          const copy = await snapshot.start({ stopTimeout: 0, detached: false });
          expect((await copy.exec(['cat', '/state'])).stdout).toBe('pristine\n');
          await copy.stop();
        },
      });
      await (await getSnapshot('handed-over')).remove();
    },
  );

  test('what outlives who has restored it is alone when that is killed at once', async () => {
    const killed = victim(['detached']);
    const exited = once(killed, 'exit');
    await new Promise<void>((resolve) => {
      killed.stdout!.on('data', (chunk: Buffer) => chunk.includes('restored') && resolve());
    });
    killed.kill('SIGKILL');
    await exited;
    // Its shim, its init and its forwarder; none of those that it has taken over from, and none of another spare.
    const isOurs = (process: string) => / mayfly-shim /.test(process);
    await expect.poll(() => findLeaks(TEST_HOME).processes.filter(isOurs).length, { timeout: 5000 }).toBe(3);
    const [left] = await listContainers();
    const box = await getContainer(left!.id);
    expect((await box.exec(['cat', '/state'])).stdout).toMatch(/^(pristine|changed)$/m);
    await box.remove({ force: true });
    await expectNoLeaks(TEST_HOME);
    // As above.
    openEngine().swept = false;
    await (await startContainer({ image: 'test/debian:bookworm' })).stop();
    await (await getSnapshot('handed-over')).remove();
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });
});
