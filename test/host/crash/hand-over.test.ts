import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { getContainer, getSnapshot, listContainers } from '../../../src/index.ts';
import { mayfly } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { startFixture } from '../../fixtures/program.ts';
import { removeEverything } from '../../fixtures/remove-everything.ts';
import { requires } from '../../requires.ts';

requires('root', 'mmdebstrap')('a detached container that gets another process tree', () => {
  afterEach(removeEverything);

  /** Whether the victim lived on, as it does not come to so many steps. */
  async function killAtStep(step: number, ...args: string[]): Promise<boolean> {
    const victim = startFixture('hand-over-victim.ts', [`${step}`, ...args], { MAYFLY_TEST_HOME: TEST_HOME });
    const ended = once(victim, 'exit');
    const said = await text(victim.stdout);
    const [exitCode, signal] = await ended;
    expect([exitCode, signal]).toEqual(said === '' ? [null, 'SIGKILL'] : [0, null]);
    return said === 'survived\n';
  }

  /** There is one, with one of its states, and nothing of the other is left by whoever starts next. */
  async function expectOneWhole(context: string): Promise<void> {
    const found = (await listContainers({ all: true })).filter(({ detached }) => detached);
    expect(found, context).toHaveLength(1);
    const box = await getContainer(found[0]!.id);
    await box.start();
    const { stdout } = await box.exec(['cat', '/state']);
    expect(['pristine\n', 'changed\n'], context).toContain(stdout);
    await box.remove({ force: true });
    // Another process, as each looks once for what there is nothing to find by.
    await mayfly(['run', '--rm', 'test/debian:bookworm', 'true'], { env: { MAYFLY_HOME: TEST_HOME } });
    await (await getSnapshot('handed-over')).remove();
    await expectNoLeaks(TEST_HOME);
    await expect.poll(() => leftOnDisk(TEST_HOME), { message: context }).toEqual([]);
  }

  test.each([
    ['made ready for it', []],
    ['of a spare', ['spare']],
  ])(
    'is there once, and whole, at whatever step it is killed: one %s',
    { timeout: 600_000 },
    async (_, args) => {
      await debian();
      let step = 1;
      for (; !(await killAtStep(step, ...args)); step += 1) await expectOneWhole(`step ${step}`);
      await expectOneWhole('in the end');
      expect(step).toBeGreaterThan(5);
    },
  );
});
