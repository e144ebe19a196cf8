import { beforeAll, expect, test } from 'vitest';
import { type Image, startContainer } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const ROUNDS = 15;

requires('root', 'mmdebstrap')('execs in a container that ends at that instant', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  test('have a result, or say that it has ended', async () => {
    const outcomes = new Set<unknown>();
    for (let round = 0; round < ROUNDS; round += 1) {
      await using box = await startContainer({ image, stopTimeout: 0 });
      const killed = box.kill();
      // One after the other, so that some meet each instant of its end.
      for (let isOver = false; !isOver; ) {
        const [outcome] = await Promise.allSettled([box.exec(['true'])]);
        isOver = outcome!.status === 'rejected';
        outcomes.add(
          outcome.status === 'fulfilled' ? outcome.value.exitCode : (outcome.reason.code ?? outcome.reason),
        );
      }
      await killed;
    }
    outcomes.delete(0);
    outcomes.delete(137);
    expect([...outcomes]).toEqual(['container.exited']);
    await expectNoLeaks(TEST_HOME);
  });
});
