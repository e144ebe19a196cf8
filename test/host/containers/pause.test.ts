import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { type Container, type Image, startContainer, Wait } from '../../../src/index.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { cpuTime } from '../../fixtures/counters.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

/** Uses CPU itself: whoever runs beside gets some meanwhile, too. */
function burnCpu(milliseconds: number): void {
  const start = process.cpuUsage();
  while (process.cpuUsage(start).user < milliseconds * 1000);
}

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('pause', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });
  const hog = (script = 'while :; do :; done') =>
    startContainer({ image, command: ['sh', '-c', script], stopTimeout: '20s' });

  const status = async (box: Container) => {
    const { Status, Paused, Running } = (await box.inspect()).State;
    return { Status, Paused, Running };
  };

  test('stops everything where it is until unpause', async () => {
    await using box = await hog();
    expect(await status(box)).toEqual({ Status: 'running', Paused: false, Running: true });
    await box.pause();
    await box.pause();
    expect(await status(box)).toEqual({ Status: 'paused', Paused: true, Running: true });
    const still = cpuTime(box);
    burnCpu(100);
    expect(cpuTime(box)).toBe(still);
    await expect(box.exec(['true'])).rejects.toMatchObject({ code: 'container.paused' });
    await box.unpause();
    await poll(() => cpuTime(box) > still + 50 || undefined, {
      deadline: deadlineIn(10_000),
      what: 'the hog to go on',
    });
    expect(await status(box)).toEqual({ Status: 'running', Paused: false, Running: true });
  });

  test('a paused container can be updated and asked for stats', async () => {
    await using box = await hog();
    await box.pause();
    await box.update({ pids: 20 });
    expect((await box.stats()).pids).toEqual({ current: 2, limit: 20 });
    expect(await status(box)).toMatchObject({ Paused: true });
  });

  test('stop wakes it, so that it ends by the stop signal', async () => {
    const box = await hog('trap "exit 7" TERM; echo ready; while :; do :; done');
    await box.waitUntilReady(Wait.forLogMessage('ready'));
    await box.pause();
    await box.stop();
    await expect(box.stats()).rejects.toMatchObject({ code: 'container.exited', exitCode: 7 });
  });

  test('kill ends it', async () => {
    const box = await hog();
    await box.pause();
    await box.kill();
    await expect.poll(async () => (await status(box)).Running, { timeout: 10_000 }).toBe(false);
    await box.stop();
  });

  test('a paused container dies with its supervisor', async () => {
    const box = await hog();
    await box.pause();
    const { pid } = box.parts.run;
    process.kill(box.parts.record.shimPid, 'SIGKILL');
    // A zombie is dead, too; whoever it was left to may take a while to notice.
    const dead = () =>
      !existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
    await poll(() => dead() || undefined, {
      deadline: deadlineIn(10_000),
      what: 'the end of init',
    });
    await box.stop();
  });

  test('what has ended cannot be paused', async () => {
    await using box = await startContainer({ image, command: ['true'] });
    await expect.poll(async () => (await status(box)).Running, { timeout: 10_000 }).toBe(false);
    await expect(box.pause()).rejects.toMatchObject({ code: 'container.exited' });
    await expect(box.unpause()).rejects.toMatchObject({ code: 'container.exited' });
  });
});
