import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  type ContainerExit,
  type ContainerOptions,
  getContainer,
  type Image,
  type LogLine,
  listContainers,
  startContainer,
  Wait,
} from '../../../src/index.ts';
import { awaitDead } from '../../../src/runtime/state/container-store.ts';
import { resolveHome } from '../../../src/support/home.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, findLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { startFixture } from '../../fixtures/program.ts';
import { requires } from '../../requires.ts';

/** Has a process start a detached container, and kills that process. */
async function startAndDie(options: Partial<ContainerOptions>): Promise<string> {
  const argument = JSON.stringify({ ...options, detached: true });
  const child = startFixture('starter.ts', [argument], { MAYFLY_TEST_HOME: TEST_HOME });
  const [id] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  child.kill('SIGKILL');
  await once(child, 'exit');
  return id;
}

async function textOf(lines: AsyncIterable<LogLine>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of lines) texts.push(text);
  return texts;
}

requires('root', 'mmdebstrap')('a detached container', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });
  afterEach(async () => {
    for (const { id } of await listContainers({ all: true }))
      await (await getContainer(id)).remove({ force: true });
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });
  afterAll(() => expectNoLeaks(TEST_HOME));

  test('outlives the process that started it, even when that was killed, and can be used from here', async () => {
    const id = await startAndDie({ name: 'survivor', command: ['sh', '-c', 'echo up; exec sleep 100'] });
    await (await startContainer({ image, stopTimeout: 0 })).stop();
    const box = await getContainer('survivor');
    expect(box.id).toBe(id);
    expect((await box.exec(['hostname'])).stdout.trim()).toBe(id.slice(0, 12));
    expect(await textOf(box.logs())).toEqual(['up']);
    await using other = await startContainer({ image, command: ['sleep', '100'], stopTimeout: 0 });
    expect(other.ipAddress).not.toBe(box.ipAddress);
    expect((await other.exec(['bash', '-c', `exec 3<>/dev/tcp/${box.ipAddress}/1`])).stderr).toContain(
      'refused',
    );
  });

  test('stays listed when it has ended, with its log and exit code, until it is removed', async () => {
    const id = await startAndDie({ command: ['sh', '-c', 'echo bye; exit 3'], labels: { job: 'one' } });
    await expect.poll(async () => (await listContainers()).length).toBe(0);
    // The sweep of another start gives back what it no longer needs, and nothing else.
    await (await startContainer({ image, stopTimeout: 0 })).stop();
    expect(await listContainers({ all: true })).toMatchObject([
      {
        id,
        status: 'exited',
        exit: { exitCode: 3, oomKilled: false },
        labels: { job: 'one' },
        detached: true,
      },
    ]);
    expect(readdirSync(`${TEST_HOME}/networks/default/addresses`)).toEqual([]);
    const box = await getContainer(id.slice(0, 8));
    expect(await box.wait()).toEqual({ exitCode: 3, oomKilled: false });
    expect(await textOf(box.logs({ follow: true }))).toEqual(['bye']);
    expect((await box.inspect()).State).toMatchObject({ Status: 'exited', ExitCode: 3, Running: false });
    await expect(box.exec(['true'])).rejects.toMatchObject({ code: 'container.exited', exitCode: 3 });
    await box.remove();
    await expect(getContainer(id)).rejects.toMatchObject({ code: 'container.not-found' });
  });

  test('stop ends it and keeps it; only force removes what runs', async () => {
    const box = await startContainer({ image, command: ['sleep', '100'], detached: true, name: 'kept' });
    await expect(box.remove()).rejects.toMatchObject({ code: 'container.running' });
    await box.stop();
    expect(await listContainers({ status: 'exited' })).toMatchObject([
      { id: box.id, exit: { exitCode: 143 } },
    ]);
    await expect(startContainer({ image, name: 'kept' })).rejects.toMatchObject({
      code: 'container.name-taken',
    });
    await box.start();
    await box.remove({ force: true });
    await box.remove({ force: true });
    expect(await listContainers({ all: true })).toEqual([]);
  });

  test('the end of an `await using` block lets go of it', async () => {
    let id: string;
    {
      await using box = await startContainer({ image, command: ['sleep', '100'], detached: true });
      id = box.id;
    }
    {
      await using box = await getContainer(id);
      expect((await box.inspect()).State.Running).toBe(true);
    }
    expect(await listContainers()).toMatchObject([{ id, status: 'running' }]);
  });

  test('can be started again after its end, with what it had written, in another process than the first', async () => {
    const id = await startAndDie({
      command: ['sh', '-c', 'echo run >> /runs; wc -l < /runs; exec sleep 100'],
    });
    const box = await getContainer(id);
    await box.stop({ timeout: 0 });
    await box.start();
    await expect.poll(() => textOf(box.logs())).toEqual(['1', '2']);
    expect((await box.inspect()).RestartCount).toBe(1);
    expect((await (await getContainer(id)).exec(['cat', '/runs'])).stdout).toBe('run\nrun\n');
  });

  test('a failed start of it leaves nothing', async () => {
    await expect(startContainer({ image, command: ['nosuch'], detached: true })).rejects.toMatchObject({
      code: 'container.command-not-found',
    });
    const never = Wait.forLogMessage('never', { timeout: 100 });
    await expect(
      startContainer({ image, command: ['sleep', '100'], detached: true, waitFor: never }),
    ).rejects.toMatchObject({ code: 'wait.timeout' });
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
    expect(findLeaks(TEST_HOME).processes).toEqual([]);
  });
});

requires('root', 'mmdebstrap')('containers as a whole', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  test('are found by name, id and the beginning of an id, or not', async () => {
    await using box = await startContainer({
      image,
      name: 'by-name',
      command: ['sleep', '100'],
      stopTimeout: 0,
    });
    for (const key of ['by-name', box.id, box.id.slice(0, 12)])
      expect((await getContainer(key)).id).toBe(box.id);
    for (const key of ['', 'nobody', '../by-name', 'f'.repeat(64), 'x'.repeat(300)])
      await expect(getContainer(key)).rejects.toMatchObject({ code: 'container.not-found' });
    // Among seventeen, two begin alike.
    const boxes = await Promise.all(
      Array.from({ length: 17 }, () => startContainer({ image, network: 'none', stopTimeout: 0 })),
    );
    const digits = boxes.map(({ id }) => id[0]!);
    const twice = digits.find((digit, i) => digits.indexOf(digit) !== i)!;
    await expect(getContainer(twice)).rejects.toMatchObject({ code: 'container.ambiguous-id' });
    await Promise.all(boxes.map((each) => each.stop()));
  });

  test('are listed by filters that all have to be met', async () => {
    const start = (name: string, labels: Record<string, string>) =>
      startContainer({ image, name, labels, network: 'none', command: ['sleep', '100'], stopTimeout: 0 });
    await using a = await start('list-a', { suite: 'x', part: '1' });
    await using b = await start('list-b', { suite: 'x', part: '2' });
    const ids = async (options?: Parameters<typeof listContainers>[0]) =>
      (await listContainers(options)).map(({ id }) => id);
    expect(await ids()).toEqual([b.id, a.id]);
    expect(await ids({ labels: { suite: 'x', part: '2' } })).toEqual([b.id]);
    expect(await ids({ labels: { suite: true }, name: 't-a' })).toEqual([a.id]);
    expect(await ids({ name: /^list-[b-z]$/ })).toEqual([b.id]);
    expect(await ids({ image: 'docker.io/test/debian:bookworm', status: 'running' })).toEqual([b.id, a.id]);
    expect(await ids({ status: 'exited' })).toEqual([]);
    await expect(listContainers({ nosuch: 1 } as never)).rejects.toMatchObject({ code: 'option.invalid' });
  });

  test('restart keeps id, name, files and address, and waits until it is ready again', async () => {
    const script = 'echo run >> /runs; trap "exit 0" TERM; echo ready; while :; do sleep 0.01; done';
    await using box = await startContainer({
      image,
      name: 'again',
      command: ['sh', '-c', script],
      memory: '64m',
      waitFor: Wait.forLogMessage('ready'),
    });
    const { ipAddress, startedAt } = box;
    await box.restart();
    expect((await box.exec(['cat', '/runs'])).stdout).toBe('run\nrun\n');
    expect(box).toMatchObject({ name: 'again', ipAddress });
    expect((await box.exec(['hostname', '-i'])).stdout.trim()).toBe(ipAddress);
    expect(box.startedAt.getTime()).toBeGreaterThan(startedAt.getTime());
    expect(await textOf(box.logs())).toEqual(['ready', 'ready']);
    expect((await box.inspect()).HostConfig.Memory).toBe(64 << 20);
  });

  test('tell of their end, wherever the handle is', async () => {
    await using box = await startContainer({ image, command: ['sleep', '100'], stopTimeout: 0 });
    const other = await getContainer(box.id);
    const heard: [string, ContainerExit][] = [];
    for (const [who, handle] of [
      ['own', box],
      ['other', other],
    ] as const) {
      handle.once('exit', (exit) => heard.push([who, exit]));
      handle.on('exit', unwanted);
      handle.off('exit', unwanted);
    }
    await box.kill('SIGUSR1');
    const killed = { exitCode: 138, oomKilled: false };
    expect(await Promise.all([box.wait(), other.wait()])).toEqual([killed, killed]);
    await expect
      .poll(() => heard.toSorted())
      .toEqual([
        ['other', killed],
        ['own', killed],
      ]);
  });

  test('has ended as long as its lock is held by who is about to run it again', async () => {
    const box = await startContainer({ image, detached: true, command: ['sleep', '100'] });
    await box.kill();
    await box.wait();
    const lock = await awaitDead(resolveHome(), box.id);
    if (lock === 'gone') throw new Error('it has been removed');
    const found = await getContainer(box.id);
    expect(await found.wait()).toEqual({ exitCode: 137, oomKilled: false });
    await expect(found.exec(['true'])).rejects.toMatchObject({ code: 'container.exited' });
    lock.release();
    await found.start();
    expect((await found.exec(['echo', 'again'])).stdout).toBe('again\n');
    await found.remove({ force: true });
  });

  test('a wait ends when its signal does', async () => {
    await using box = await startContainer({ image, command: ['sleep', '100'], stopTimeout: 0 });
    await expect(box.wait({ signal: AbortSignal.timeout(10) })).rejects.toThrow('timeout');
  });

  test('one that has ended is there as long as the process that started it', async () => {
    await using box = await startContainer({ image, command: ['sh', '-c', 'echo last words'] });
    await box.wait();
    await (await startContainer({ image, stopTimeout: 0 })).stop();
    expect(await textOf(box.logs())).toEqual(['last words']);
    expect(await listContainers({ all: true })).toMatchObject([{ id: box.id, status: 'exited' }]);
  });
});

function unwanted(): never {
  throw new Error('taken off');
}
