import { beforeAll, expect, test } from 'vitest';
import { type ContainerExit, type Image, startContainer } from '../../../src/index.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

requires(
  'root',
  'mmdebstrap',
  'memory-controller',
)('what a container tells to listeners', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  test('exit, with its code', async () => {
    await using box = await startContainer({
      image,
      command: ['sh', '-c', 'until [ -e /go ]; do sleep 0.01; done; exit 7'],
    });
    const exit = new Promise<ContainerExit>((resolve) => box.once('exit', resolve));
    await box.exec(['touch', '/go']);
    expect(await exit).toEqual({ exitCode: 7, oomKilled: false });
  });

  test('oom, for every kill, while the container lives', async () => {
    await using box = await startContainer({ image, memory: '32m', stopTimeout: 0 });
    let kills = 0;
    const listener = () => {
      kills += 1;
    };
    box.on('oom', listener);
    expect((await box.exec(['tail', '/dev/zero'])).exitCode).toBe(137);
    await expect.poll(() => kills, { timeout: 10_000 }).toBe(1);
    expect((await box.exec(['tail', '/dev/zero'])).exitCode).toBe(137);
    await expect.poll(() => kills, { timeout: 10_000 }).toBe(2);
    box.off('oom', listener);
    expect((await box.exec(['tail', '/dev/zero'])).exitCode).toBe(137);
    expect((await box.exec(['true'])).exitCode).toBe(0);
    expect(kills).toBe(2);
  });

  test('health, each change of it', async () => {
    await using box = await startContainer({
      image,
      healthCheck: { test: ['CMD', 'test', '-e', '/well'], interval: '50ms', retries: 1 },
      stopTimeout: 0,
    });
    const seen: string[] = [];
    box.on('health', (status) => seen.push(status));
    await expect.poll(() => seen.at(-1), { timeout: 10_000 }).toBe('unhealthy');
    await box.exec(['touch', '/well']);
    await expect.poll(() => seen.at(-1), { timeout: 10_000 }).toBe('healthy');
    await box.exec(['rm', '/well']);
    await expect.poll(() => seen.at(-1), { timeout: 10_000 }).toBe('unhealthy');
    expect(seen).toEqual(['unhealthy', 'healthy', 'unhealthy']);
  });

  test('nothing to a listener that was taken away', async () => {
    const box = await startContainer({ image, stopTimeout: 0 });
    let heard = 0;
    const listener = () => {
      heard += 1;
    };
    const other = new Promise((resolve) => box.once('exit', resolve));
    box.on('exit', listener).off('exit', listener);
    await box.stop();
    await other;
    expect(heard).toBe(0);
  });
});
