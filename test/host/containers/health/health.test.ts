import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import {
  type Container,
  type ContainerOptions,
  type Image,
  startContainer,
  Wait,
} from '../../../../src/index.ts';
import { debian, TEST_HOME } from '../../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../../fixtures/leaks.ts';
import { requires } from '../../../requires.ts';

requires('root', 'mmdebstrap')('the health of a container', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  const start = (options: Partial<ContainerOptions>) =>
    startContainer({ image, command: ['sleep', '100'], stopTimeout: 0, ...options });
  const stateOf = async (container: Container) => (await container.inspect()).State.Health;
  const reach = (container: Container, status: string) =>
    expect.poll(async () => (await stateOf(container))?.Status, { timeout: 10_000 }).toBe(status);

  test('healthy is waited for, by the image’s check', async () => {
    const Healthcheck = { Test: ['CMD-SHELL', 'echo looking; test -e /tmp/ready'] };
    await using box = await start({
      image: { ...image, config: { ...image.config, Healthcheck } },
      command: ['sh', '-c', 'sleep 0.1; touch /tmp/ready; sleep 100'],
      waitFor: Wait.forHealthCheck(),
    });
    const { State, Config } = await box.inspect();
    expect(State.Health).toMatchObject({ Status: 'healthy', FailingStreak: 0 });
    expect(State.Health!.Log.at(-1)).toMatchObject({ ExitCode: 0, Output: 'looking\n' });
    expect(State.Health!.Log.at(-2)).toMatchObject({ ExitCode: 1 });
    expect(Config.Healthcheck).toMatchObject({ Retries: 3, Interval: 30e9 });
  });

  test('a probe runs as the container’s user, with its environment, in its directory', async () => {
    const test = ['CMD', 'sh', '-c', 'id -un; pwd; echo $A; grep -c Seccomp:.2 /proc/self/status; exit 0'];
    await using box = await start({
      user: 'www-data',
      env: { A: 'b' },
      cwd: '/usr',
      healthCheck: { test },
      waitFor: Wait.forHealthCheck(),
    });
    expect((await stateOf(box))!.Log[0]!.Output).toBe('www-data\n/usr\nb\n1\n');
  });

  test('it becomes unhealthy and healthy again', async () => {
    const healthCheck = { test: 'test ! -e /tmp/ill', interval: 20, retries: 2 };
    await using box = await start({ healthCheck, waitFor: Wait.forHealthCheck() });
    await box.exec(['touch', '/tmp/ill']);
    await reach(box, 'unhealthy');
    expect((await stateOf(box))!.FailingStreak).toBeGreaterThanOrEqual(2);
    await box.exec(['rm', '/tmp/ill']);
    await reach(box, 'healthy');
    expect((await stateOf(box))!.Log).toHaveLength(5);
  });

  test('unhealthy is an error with the words of the probe, and nothing is left', async () => {
    const healthCheck = { test: 'echo no database; exit 1', interval: 20, retries: 2 };
    const starting = start({ healthCheck, waitFor: Wait.forHealthCheck() });
    await expect(starting).rejects.toMatchObject({
      code: 'container.unhealthy',
      message: expect.stringMatching(/its last probe exited with code 1 and said: no database/),
    });
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test('a probe that hangs is killed, and one that cannot be run says so', async () => {
    await using hung = await start({
      healthCheck: { test: 'sleep 50', timeout: 30, interval: 10, retries: 1 },
    });
    await reach(hung, 'unhealthy');
    expect((await stateOf(hung))!.Log[0]).toMatchObject({
      ExitCode: -1,
      Output: 'the probe took more than 30 ms',
    });
    await using odd = await start({ healthCheck: { test: ['CMD', 'nosuch'], interval: 10, retries: 1 } });
    await reach(odd, 'unhealthy');
    expect((await stateOf(odd))!.Log[0]).toMatchObject({
      ExitCode: -1,
      Output: expect.stringContaining('command not found: nosuch'),
    });
  });

  test('changes are events, and a restart begins anew', async () => {
    const healthCheck = { test: 'test ! -e /tmp/ill', interval: 20, retries: 1 };
    await using box = await start({ healthCheck });
    const seen: string[] = [];
    await reach(box, 'healthy');
    box.on('health', (status) => seen.push(status));
    await box.exec(['touch', '/tmp/ill']);
    await expect.poll(() => seen).toEqual(['unhealthy']);
    await box.restart();
    await expect.poll(() => seen).toEqual(['unhealthy', 'unhealthy']);
    await box.exec(['rm', '/tmp/ill']);
    await expect.poll(() => seen).toEqual(['unhealthy', 'unhealthy', 'healthy']);
  });

  test('a paused container is not probed', async () => {
    const healthCheck = { test: 'date +%N', interval: 5, retries: 1 };
    await using box = await start({ healthCheck, waitFor: Wait.forHealthCheck() });
    await box.pause();
    const before = await stateOf(box);
    // Two starts take longer than an interval.
    for (let i = 0; i < 2; i += 1) await (await start({})).stop();
    expect((await stateOf(box))!.Status).toBe('healthy');
    await box.unpause();
    await expect.poll(() => stateOf(box)).not.toEqual(before);
    expect((await stateOf(box))!.Status).toBe('healthy');
  });

  test('without a check there is no health, and none to wait for', async () => {
    const Healthcheck = { Test: ['CMD', 'true'] };
    const configured = { ...image, config: { ...image.config, Healthcheck } };
    await using box = await start({ image: configured, healthCheck: false });
    expect(await stateOf(box)).toBeUndefined();
    const starting = start({ waitFor: Wait.forHealthCheck() });
    await expect(starting).rejects.toMatchObject({ code: 'wait.no-health-check' });
  });

  test('the end of the container goes before its health', async () => {
    const starting = start({
      command: ['sh', '-c', 'exit 4'],
      healthCheck: { test: 'false' },
      waitFor: Wait.forHealthCheck(),
    });
    await expect(starting).rejects.toMatchObject({ code: 'container.exited', exitCode: 4 });
  });

  test('a health check keeps no process alive', async () => {
    const script = `import('mayfly').then(async ({ startContainer, Wait }) => {
      await startContainer({ image: 'test/debian:bookworm', healthCheck: { test: 'sleep 0.01', interval: 1 },
        waitFor: Wait.forHealthCheck() });
      console.log('healthy');
    })`;
    const argv = ['--import', 'tsx', '--conditions=mayfly-source', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, argv, {
      env: { ...process.env, MAYFLY_HOME: TEST_HOME },
      cwd: join(import.meta.dirname, '../../../..'),
      timeout: 20_000,
    });
    expect(stdout).toBe('healthy\n');
    await expectNoLeaks(TEST_HOME);
  });

  test.each([
    ['an empty test', { test: [] }],
    ['a test that is no Docker list', { test: ['curl', 'localhost'] }],
    ['two strings for the shell', { test: ['CMD-SHELL', 'a', 'b'] }],
    ['no time between probes', { test: 'true', interval: 0 }],
    ['no retries', { test: 'true', retries: 0 }],
    ['another field', { command: 'true' }],
  ])('%s is refused', async (_title, healthCheck) => {
    await expect(start({ healthCheck } as object)).rejects.toMatchObject({ code: 'option.invalid' });
  });
});
