import type { ContainerInspectInfo } from 'dockerode';
import { beforeAll, expect, expectTypeOf, test } from 'vitest';
import { type Image, type LogLine, startContainer, Wait } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

requires('root', 'mmdebstrap')('the life of a container', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  async function all(lines: AsyncIterable<LogLine>): Promise<string[]> {
    const texts: string[] = [];
    for await (const { stream, text } of lines) texts.push(`${stream} ${text}`);
    return texts;
  }

  test('logs tell the streams apart, follow to the end, and can begin late', async () => {
    const script = 'echo one; sleep 0.05; echo two >&2; sleep 0.05; printf three';
    await using box = await startContainer({ image, command: ['sh', '-c', script] });
    expect(await all(box.logs({ follow: true }))).toEqual(['stdout one', 'stderr two', 'stdout three']);
    expect(await all(box.logs({ tail: 1 }))).toEqual(['stderr two', 'stdout three']); // the last whole line, and what has no end yet
    const lines: LogLine[] = [];
    for await (const line of box.logs()) lines.push(line);
    expect(await all(box.logs({ since: lines[1]!.time }))).toEqual(['stderr two', 'stdout three']);
    expect(lines[0]!.time.getTime()).toBeLessThanOrEqual(lines[1]!.time.getTime());
  });

  test('a log over its limit keeps the end', async () => {
    await using box = await startContainer({
      image,
      command: ['sh', '-c', 'seq 100000; echo END; sleep 100'],
      logLimit: '256k',
      stopTimeout: 0,
      waitFor: Wait.forLogMessage(/^END$/),
    });
    const lines = await all(box.logs());
    expect(lines.at(-1)).toBe('stdout END');
    expect(lines.at(-2)).toBe('stdout 100000');
    expect(lines.length).toBeLessThan(10_000);
  });

  test('what blocks the event loop does not hold the container up', async () => {
    await using box = await startContainer({
      image,
      command: ['sh', '-c', 'head -c 5000000 /dev/zero | tr "\\0" "x" | fold; touch /done; sleep 100'],
      stopTimeout: 0,
    });
    const until = Date.now() + 1500;
    while (Date.now() < until) {
      // Nothing else runs in this process meanwhile.
    }
    expect((await box.exec(['ls', '/done'])).exitCode).toBe(0);
  });

  test('inspect has the shape of dockerode', async () => {
    await using box = await startContainer({
      image,
      command: ['sleep', '100'],
      name: 'inspected',
      labels: { a: 'b' },
      stopTimeout: 0,
    });
    const info = await box.inspect();
    expectTypeOf(info).toExtend<ContainerInspectInfo>();
    expect(info).toMatchObject({
      Id: box.id,
      Name: '/inspected',
      Path: 'sleep',
      Args: ['100'],
      State: { Status: 'running', Running: true },
      Config: { Labels: { a: 'b' } },
      NetworkSettings: { Networks: { default: { IPAddress: box.ipAddress } } },
    });
    expect(() => process.kill(info.State.Pid, 0)).not.toThrow();
  });

  test('stop sends the stop signal and takes everything away', async () => {
    const box = await startContainer({
      image,
      command: ['sh', '-c', 'trap "exit 0" TERM; echo armed; while :; do sleep 0.01; done'],
      waitFor: Wait.forLogMessage('armed'),
    });
    await box.stop();
    await box.stop();
    await expectNoLeaksOf(box.id);
  });

  test('who does not listen is killed at the end of the timeout', async () => {
    const box = await startContainer({
      image,
      command: ['sh', '-c', 'trap "" TERM; echo armed; while :; do sleep 0.01; done'],
      waitFor: Wait.forLogMessage('armed'),
    });
    await box.stop({ timeout: '100ms' });
    expect((await box.inspect()).State).toMatchObject({ Running: false, ExitCode: 137 });
  });

  test('the stop signal is the image’s or the option’s', async () => {
    const script = 'trap "exit 7" INT; echo armed; while :; do sleep 0.01; done';
    const box = await startContainer({
      image: { ...image, config: { StopSignal: 'SIGINT' } },
      command: ['sh', '-c', script],
      waitFor: Wait.forLogMessage('armed'),
    });
    await box.stop();
    expect((await box.inspect()).State.ExitCode).toBe(7);
  });

  test('exec on a container that has ended says how it ended', async () => {
    await using box = await startContainer({ image, command: ['sh', '-c', 'echo bye; exit 9'] });
    await all(box.logs({ follow: true }));
    await expect.poll(async () => (await box.inspect()).State.Running).toBe(false);
    await expect(box.exec(['true'])).rejects.toMatchObject({ code: 'container.exited', exitCode: 9 });
  });

  test('twenty at once have twenty addresses, and nothing is left of them', async () => {
    const boxes = await Promise.all(
      Array.from({ length: 20 }, () => startContainer({ image, command: ['sleep', '100'], stopTimeout: 0 })),
    );
    expect(new Set(boxes.map((box) => box.ipAddress)).size).toBe(20);
    await Promise.all(boxes.map((box) => box.stop()));
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test('a start that is aborted leaves nothing', async () => {
    const controller = new AbortController();
    const starting = startContainer({
      image,
      command: ['sleep', '100'],
      waitFor: Wait.forLogMessage('never'),
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await expect(starting).rejects.toThrow('enough');
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  async function expectNoLeaksOf(id: string): Promise<void> {
    expect(leftOnDisk(TEST_HOME).filter((entry) => entry.includes(id))).toEqual([]);
    await expectNoLeaks(TEST_HOME);
  }
});
