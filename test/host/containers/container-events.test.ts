import { afterEach, beforeAll, expect, test } from 'vitest';
import { containerEvents } from '../../../src/containers/container-events.ts';
import { renameContainer } from '../../../src/containers/rename.ts';
import { getContainer, type Image, listContainers, startContainer } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

/** Watches from now on, until the end of the block. */
function watchEvents(): { seen: string[]; [Symbol.asyncDispose](): Promise<void> } {
  const seen: string[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const { action, name, attributes } of containerEvents({ signal: stop.signal })) {
      const { execID: _, ...rest } = attributes;
      seen.push([name, action, ...Object.values(rest)].join(' '));
    }
  })();
  return {
    seen,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await watching;
    },
  };
}

const last = (seen: readonly string[], name: string) =>
  expect.poll(() => seen.at(-1), { timeout: 15_000 }).toBe(name);

requires('root', 'mmdebstrap')('what is told of the containers of a home', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });
  afterEach(async () => {
    for (const { id } of await listContainers({ all: true }))
      await (await getContainer(id)).remove({ force: true });
    await expectNoLeaks(TEST_HOME);
  });

  test('all that is done to a container, in order, also when it is removed at once', async () => {
    await using watched = watchEvents();
    const box = await startContainer({ image, name: 'box', stopTimeout: '1m', detached: true });
    await box.exec(['sh', '-c', 'exit 4']);
    await expect(box.exec(['/missing'])).rejects.toMatchObject({ exitCode: 127 });
    await box.pause();
    await box.pause();
    await box.unpause();
    await box.unpause();
    renameContainer(box.parts, 'other');
    await box.kill('SIGUSR1');
    await box.wait();
    await box.start();
    await box.restart();
    await box.stop();
    await box.stop();
    await box.remove();
    await last(watched.seen, 'other destroy');
    expect(watched.seen.map((line) => line.replace(/^\w+ /, ''))).toEqual([
      ...['create', 'start', 'exec_create: sh -c exit 4', 'exec_start: sh -c exit 4', 'exec_die 4'],
      ...['exec_create: /missing', 'exec_start: /missing', 'exec_die 127'],
      ...['pause', 'unpause', 'rename /box', 'kill 10', 'die 138'],
      ...['start', 'kill 15', expect.stringMatching(/^die/), 'stop', 'start', 'restart'],
      ...['kill 15', 'die 143', 'stop', 'destroy'],
    ]);
  });

  test('verdicts of its health, and not the probes', async () => {
    await using watched = watchEvents();
    await using box = await startContainer({
      image,
      name: 'box',
      healthCheck: { test: ['CMD', 'test', '-e', '/well'], interval: '50ms', retries: 1 },
      stopTimeout: 0,
    });
    await last(watched.seen, 'box health_status: unhealthy');
    await box.exec(['touch', '/well']);
    await last(watched.seen, 'box health_status: healthy');
    expect(watched.seen.filter((line) => line.includes('exec_create'))).toEqual([
      'box exec_create: touch /well',
    ]);
  });

  test('of the past, what containers that are still there have gone through', async () => {
    const since = new Date();
    await using box = await startContainer({ image, name: 'box', stopTimeout: 0 });
    await box.pause();
    await box.unpause();
    const stop = new AbortController();
    const actions: string[] = [];
    for await (const { action } of containerEvents({ since, signal: stop.signal })) {
      actions.push(action);
      if (action === 'unpause') stop.abort();
    }
    expect(actions).toEqual(['create', 'start', 'pause', 'unpause']);
    await box.update({ pids: 100 });
    const later = new AbortController();
    const found = containerEvents({ since, signal: later.signal });
    for await (const { action } of found) if (action === 'update') break;
  });

  test.each([0, 1])(
    'goes on over a restore, with %d spares, and is there for whoever asks later',
    async (spares) => {
      const since = new Date();
      await using watched = watchEvents();
      await using box = await startContainer({ image, name: 'box', stopTimeout: 0 });
      await box.exec(['true']);
      await using snapshot = await box.snapshot();
      await snapshot.keepSpares(spares);
      await box.restore(snapshot);
      await box.exec(['false']);
      await last(watched.seen, 'box exec_die 1');
      const run = (command: string, code: number) =>
        ['exec_create:', 'exec_start:']
          .map((what) => `box ${what} ${command}`)
          .concat(`box exec_die ${code}`);
      const expected = [...run('true', 0), 'box die', 'box start', ...run('false', 1)];
      const told = watched.seen.filter((line) => line !== 'box pause' && line !== 'box unpause');
      // Of one that a spare takes over from it is not told how it ended.
      const news = told.map((line) => line.replace(/^box die.*/, 'box die'));
      expect(news).toEqual(['box create', 'box start', ...expected]);
      const stop = new AbortController();
      const found: string[] = [];
      for await (const { action } of containerEvents({ since, signal: stop.signal })) {
        found.push(action);
        if (action === 'exec_start: false') break;
      }
      expect(found).toEqual(expect.arrayContaining(['exec_start: true', 'exec_die', 'exec_start: false']));
    },
  );

  test('nothing of spares, until one is taken', async () => {
    await using watched = watchEvents();
    const healthCheck = { test: ['CMD', 'test', '-e', '/well'], interval: '50ms', retries: 1 } as const;
    await using origin = await startContainer({ image, name: 'origin', stopTimeout: 0, healthCheck });
    await last(watched.seen, 'origin health_status: unhealthy');
    await using snapshot = await origin.snapshot(undefined, { spares: 1 });
    await expect
      .poll(async () => (await listContainers({ all: true })).length, { timeout: 15_000 })
      .toBeGreaterThan(1);
    await origin.pause();
    await last(watched.seen, 'origin pause');
    await origin.unpause();
    await last(watched.seen, 'origin unpause');
    expect(watched.seen.filter((line) => !line.startsWith('origin '))).toEqual([]);
    await origin.restore(snapshot);
    // The verdict of a check that the pause came upon may be told after it.
    const paused = () => watched.seen.filter((line) => line === 'origin pause').length;
    await origin.pause();
    await expect.poll(paused, { timeout: 15_000 }).toBe(2);
    await origin.unpause();
    expect(watched.seen.filter((line) => !line.startsWith('origin '))).toEqual([]);
    expect(watched.seen.filter((line) => line === 'origin start')).toHaveLength(2);
    await origin.exec(['touch', '/well']);
    await last(watched.seen, 'origin health_status: healthy');
    expect(watched.seen.filter((line) => line === 'origin health_status: healthy')).toHaveLength(1);
  });
});

requires(
  'root',
  'mmdebstrap',
  'memory-controller',
)('what is told of memory that ran out', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  test.each([false, true])('once for each kill, also the last (detached: %s)', async (detached) => {
    await using watched = watchEvents();
    const box = await startContainer({
      image,
      name: 'box',
      memory: '32m',
      detached,
      // It waits without forking, which while memory is out would make it the one to be killed.
      command: ['sh', '-c', 'mkfifo /go; read _ < /go; exec tail /dev/zero'],
    });
    // The one to be killed, whatever else is there.
    const greedy = 'echo 1000 > /proc/self/oom_score_adj; exec tail /dev/zero';
    expect((await box.exec(['sh', '-c', greedy])).exitCode).toBe(137);
    expect((await box.inspect()).State.Running).toBe(true);
    await expect.poll(() => watched.seen, { timeout: 15_000 }).toContain('box oom');
    await box.exec(['sh', '-c', 'until [ -p /go ]; do sleep 0.01; done; echo > /go']);
    await box.wait();
    await box.remove();
    await last(watched.seen, 'box destroy');
    expect(watched.seen.filter((line) => /^box (oom|die|destroy)/.test(line))).toEqual([
      'box oom',
      'box oom',
      'box die 137',
      'box destroy',
    ]);
  });
});
