import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openEngine } from '../../../src/containers/engine.ts';
import { getContainer, listContainers, startContainer } from '../../../src/index.ts';
import { isAlive, listContainerIds } from '../../../src/runtime/state/container-store.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { startFixture } from '../../fixtures/program.ts';
import { randomFrom } from '../../fixtures/random.ts';

const ROUNDS = 30;
const SEED = Number(process.env.MAYFLY_CRASH_SEED ?? Date.now() % 1_000_000);
/** Long enough to come to any step of a start, and to what follows it. */
const LATEST_KILL = 80;

test(`a detached container whose launcher is killed runs whole or is gone, ${ROUNDS} times`, {
  timeout: 600_000,
}, async () => {
  await debian();
  const random = randomFrom(SEED);
  let whole = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const after = random() * LATEST_KILL;
    const context = `seed ${SEED}, round ${round}: killed after ${after.toFixed(1)} ms`;
    await killLauncher(after);
    const ids = await settled();
    for (const id of ids) {
      await using box = await getContainer(id);
      expect((await box.exec(['cat', '/proc/1/comm'])).exitCode, context).toBe(0);
      // Its network came with it, and others can still join that.
      const other = await startContainer({ image: 'test/debian:bookworm', stopTimeout: 0 });
      const { stderr } = await other.exec(['bash', '-c', `exec 3<>/dev/tcp/${box.ipAddress}/1`]);
      expect(stderr, context).toContain('refused');
      await other.stop();
      await box.remove({ force: true });
    }
    whole += ids.length;
    await expectNoLeaks(TEST_HOME).catch((error: unknown) => {
      throw new Error(`${context}: ${(error as Error).message}`, { cause: error });
    });
  }
  await (await startContainer({ image: 'test/debian:bookworm', stopTimeout: 0 })).stop();
  expect(leftOnDisk(TEST_HOME)).toEqual([]);
  // Some instants were early enough to leave none, some late enough to leave one, or the test has tried nothing.
  expect(whole).toBeGreaterThan(0);
  expect(whole).toBeLessThan(ROUNDS);
});

async function killLauncher(after: number): Promise<void> {
  const child = startFixture('detached-victim.ts', [], { MAYFLY_TEST_HOME: TEST_HOME });
  await once(child.stdout, 'data');
  // The random instant is what is being tested.
  await delay(after);
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** The ids of what runs, when every container that had begun has come to run or has ended. */
function settled(): Promise<string[]> {
  const { home } = openEngine();
  const attempt = async () => {
    const running = (await listContainers()).map(({ id }) => id);
    const alive = listContainerIds(home).filter((id) => isAlive(home, id));
    return alive.every((id) => running.includes(id)) ? running : undefined;
  };
  return poll(attempt, { deadline: deadlineIn(10_000), what: 'every shim to have started or ended' });
}
