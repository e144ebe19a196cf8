import { afterEach, expect, test } from 'vitest';
import { startContainer } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('what is asked of one container at once', () => {
  afterEach(async () => {
    await expectNoLeaks(TEST_HOME);
    await expect.poll(() => leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test.each([
    ['', {}],
    [', with a published port', { ports: [80] }],
    [', detached', { detached: true, autoRemove: true }],
  ])('happens in that order%s', async (_, options) => {
    await using box = await startContainer({ image: await debian(), ...options });
    const state = async () => (await box.exec(['cat', '/state'])).stdout.trim();
    const write = (word: string) => box.exec(['sh', '-c', `echo ${word} > /state`]);
    await write('one');
    await using one = await box.snapshot();
    await write('two');
    await using two = await box.snapshot();
    for (let round = 0; round < 3; round += 1) {
      await Promise.all([box.restore(two), box.restore(one), box.restore(two)]);
      expect(await state()).toBe('two');
      const [, snapshot] = await Promise.all([box.restore(one), box.snapshot(), box.restore(two)]);
      await using _snapshot = snapshot;
      expect(await state()).toBe('two');
      const [, sealed] = await Promise.all([
        box.restore(snapshot),
        box.snapshot(undefined, { method: 'seal' }),
        box.restart(),
      ]);
      await using _sealed = sealed;
      expect(await state()).toBe('one');
      // Nothing is to stand on what is about to go.
      await box.restore(two);
    }
    // One that fails does not stand in the way of the next.
    const aborted = AbortSignal.abort(new Error('too late'));
    const results = await Promise.allSettled([box.restore(one, { signal: aborted }), box.restore(one)]);
    expect(results).toMatchObject([{ reason: { message: 'too late' } }, { status: 'fulfilled' }]);
    expect(await state()).toBe('one');
    const restarted = box.restart();
    const stopped = box.stop();
    await Promise.allSettled([restarted, stopped]);
    expect(box.parts.run.exit).toBeDefined();
  });
});
