import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isPaused } from '../../../src/containers/pause.ts';
import { getContainer, listSnapshots, startContainer } from '../../../src/index.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { startFixture } from '../../fixtures/program.ts';
import { requires } from '../../requires.ts';

const ROUNDS = 5;

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('a detached container', () => {
  test(`goes on when who copies it is killed while it stands still, ${ROUNDS} times`, async () => {
    await debian();
    for (let round = 0; round < ROUNDS; round += 1) {
      const victim = startFixture('detached-copier.ts', [], { MAYFLY_TEST_HOME: TEST_HOME });
      const ended = once(victim, 'exit');
      const [line] = (await Promise.race([once(victim.stdout, 'data'), ended])) as [unknown];
      const box = await getContainer(`${line}`.trim());
      const stands = () => isPaused(box.parts) || undefined;
      await poll(stands, { deadline: deadlineIn(20_000), what: 'it to stand still', maxInterval: 1 });
      victim.kill('SIGKILL');
      await ended;
      await expect.poll(() => isPaused(box.parts), { timeout: 10_000 }).toBe(false);
      expect((await box.exec(['cat', '/file7'])).stdout).toBe('7\n');
      // And can be paused by whoever wants to, without being woken up.
      await box.pause();
      expect(isPaused(box.parts)).toBe(true);
      await box.unpause();
      await box.remove({ force: true });
    }
    await (await startContainer({ image: 'test/debian:bookworm', stopTimeout: 0 })).stop();
    expect(await listSnapshots()).toEqual([]);
    await expectNoLeaks(TEST_HOME);
  });
});
