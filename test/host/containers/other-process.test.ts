import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type ContainerOptions, getContainer } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { startFixture } from '../../fixtures/program.ts';
import { requires } from '../../requires.ts';

/** Another process that has started a container, and says what becomes of it. */
async function startElsewhere(options: Partial<ContainerOptions>) {
  const child = startFixture('starter.ts', [JSON.stringify(options)], { MAYFLY_TEST_HOME: TEST_HOME });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value as string;
  const exited = once(child, 'exit');
  const id = await next();
  return { id, next, child, exited };
}

requires('root', 'mmdebstrap')('a container of another process', () => {
  beforeAll(async () => {
    await debian();
  });
  afterAll(() => expectNoLeaks(TEST_HOME));

  test('can be looked at, executed in, and its log read', async () => {
    const { id, child, exited } = await startElsewhere({
      command: ['sh', '-c', 'echo up; exec sleep 100'],
      labels: { of: 'another' },
      env: { WHO: 'other' },
    });
    const box = await getContainer(id);
    expect((await box.exec(['sh', '-c', 'echo $WHO; hostname'])).stdout).toBe(`other\n${id.slice(0, 12)}\n`);
    const lines: string[] = [];
    for await (const { text } of box.logs()) lines.push(text);
    expect(lines).toEqual(['up']);
    expect(await box.inspect()).toMatchObject({
      Id: id,
      Args: ['-c', 'echo up; exec sleep 100'],
      State: { Running: true },
      Config: { Labels: { of: 'another' } },
      NetworkSettings: { Networks: { default: { IPAddress: box.ipAddress } } },
    });
    child.kill('SIGKILL');
    await exited;
    await expect.poll(async () => (await box.inspect()).State.Status).toBe('exited');
  });

  test('can be stopped, with which everything of it is gone, and its own process learns how it ended', async () => {
    for (const init of [true, false]) {
      const { id, next, child, exited } = await startElsewhere({
        command: ['sh', '-c', 'trap "exit 7" TERM; echo armed; while :; do sleep 0.01; done'],
        init,
      });
      const box = await getContainer(id);
      for await (const { text } of box.logs({ follow: true })) if (text === 'armed') break;
      await box.stop();
      expect((await box.inspect()).State).toMatchObject({ Running: false, ExitCode: 7 });
      expect(await next()).toBe('exited 7');
      expect(leftOnDisk(TEST_HOME).filter((entry) => entry.includes(id))).toEqual([]);
      child.stdin.end();
      await exited;
      expect(leftOnDisk(TEST_HOME)).toEqual([]);
    }
  });

  test('can be killed', async () => {
    const { id, next, child, exited } = await startElsewhere({ command: ['sleep', '100'] });
    await (await getContainer(id)).kill();
    expect(await next()).toBe('exited 137');
    child.stdin.end();
    await exited;
  });
});
