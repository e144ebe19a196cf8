import { beforeAll, expect, test } from 'vitest';
import { type Image, startContainer } from '../../../src/index.ts';
import { detectHierarchies } from '../../../src/kernel/cgroups/hierarchies.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

const MIB = 1 << 20;
const KEEP_40M = 'head -c 40m /dev/zero | tail | sleep infinity';

requires(
  'root',
  'mmdebstrap',
  'memory-controller',
  'cpu-controller',
  'pids-controller',
  'io-controller',
)('stats', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  test('tell memory, processes, disk and network as they were used', async () => {
    await using box = await startContainer({ image, memory: '256m', pids: 50, cpus: 1 });
    const start = await box.stats();
    expect(start.countedSince.getTime()).toBeLessThanOrEqual(start.at.getTime());
    // Held by tail, which waits for an end of line that never comes.
    const held = box.exec(['sh', '-c', KEEP_40M], { timeout: '60s' }).catch(() => {});
    const stats = await poll(
      async () => {
        const now = await box.stats();
        return now.memory!.current > 40 * MIB ? now : undefined;
      },
      { deadline: deadlineIn(20_000), what: '40 MiB in use' },
    );
    expect(stats.memory).toMatchObject({ limit: 256 * MIB, oomKills: 0 });
    expect(stats.memory!.current).toBeLessThan(80 * MIB);
    expect(stats.memory!.peak).toBeGreaterThanOrEqual(stats.memory!.current);
    expect(stats.pids!.current).toBeGreaterThanOrEqual(start.pids!.current + 2);
    expect(stats.pids!.limit).toBe(50);
    await box.exec(['dd', 'if=/dev/zero', 'of=/file', 'bs=1M', 'count=8', 'oflag=direct']);
    await box.exec(['dd', 'if=/file', 'of=/dev/null', 'bs=1M', 'iflag=direct']);
    const after = await box.stats();
    expect(after.io!.writtenBytes - start.io!.writtenBytes).toBeGreaterThanOrEqual(8 * MIB);
    expect(after.io!.writtenBytes - start.io!.writtenBytes).toBeLessThan(16 * MIB);
    expect(after.io!.readBytes - start.io!.readBytes).toBeGreaterThanOrEqual(8 * MIB);
    await box.stop({ timeout: 0 });
    await held;
  });

  test('CPU time is what the process itself has measured', async () => {
    await using box = await startContainer({ image, cpus: 1 });
    const before = (await box.stats()).cpu!;
    // dash prints the user and system time of itself and of its children.
    const { stdout } = await box.exec([
      'sh',
      '-c',
      'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; times',
    ]);
    const after = (await box.stats()).cpu!;
    const [, minutes, seconds] = /(\d+)m([\d.]+)s/.exec(stdout)!;
    const measured = (Number(minutes) * 60 + Number(seconds)) * 1000;
    expect(measured).toBeGreaterThan(50);
    expect(after.user - before.user).toBeGreaterThan(measured * 0.8);
    expect(after.total - before.total).toBeLessThan(measured * 1.5 + 100);
    expect(after.throttling!.periods).toBeGreaterThan(before.throttling!.periods);
  });

  test('traffic of the network is counted', async () => {
    await using box = await startContainer({ image });
    const before = (await box.stats()).network!;
    const gateway = (await box.inspect()).NetworkSettings.Networks.default!.Gateway;
    await box.exec(['bash', '-c', `head -c 1000 /dev/zero > /dev/udp/${gateway}/9`]);
    const after = (await box.stats()).network!;
    expect(after.sentBytes - before.sentBytes).toBeGreaterThan(1000);
    await using shared = await startContainer({ image, network: 'host' });
    expect((await shared.stats()).network).toBeUndefined();
  });

  test('of a container without limits are counted from the first call at the latest, everybody in it included', async () => {
    await using box = await startContainer({ image, command: ['sh', '-c', 'sleep 1000 & sleep 1000'] });
    const first = await box.stats();
    const late = detectHierarchies().v1.has('memory');
    expect(first.countedSince > box.startedAt).toBe(late);
    // init, the shell and two that sleep, once the shell has got so far.
    await expect.poll(async () => (await box.stats()).pids!.current).toBe(4);
    expect((await box.stats()).countedSince).toEqual(first.countedSince);
    await box.exec(['dd', 'if=/dev/zero', 'of=/file', 'bs=1M', 'count=4', 'oflag=direct']);
    expect((await box.stats()).io!.writtenBytes).toBeGreaterThanOrEqual(4 * MIB);
    // What is started from now on is counted where the container is.
    const { stdout } = await box.exec(['cat', '/proc/self/cgroup']);
    if (late) expect(stdout).toMatch(new RegExp(`:memory:/.*mayfly/${box.id}$`, 'm'));
  });

  test('with accounting they are counted from the start', async () => {
    await using box = await startContainer({ image, accounting: true });
    const { countedSince, memory } = await box.stats();
    expect(countedSince <= box.startedAt || countedSince.getTime() - box.startedAt.getTime() < 1000).toBe(
      true,
    );
    expect(memory!.current).toBeGreaterThan(0);
  });

  test('as a stream come until the container ends', async () => {
    await using box = await startContainer({ image, memory: '64m' });
    const totals: number[] = [];
    for await (const { cpu } of box.statsStream({ interval: 20 })) {
      totals.push(cpu!.total);
      if (totals.length === 4) await box.kill();
    }
    expect(totals.length).toBeGreaterThanOrEqual(4);
    expect(totals).toEqual(totals.toSorted((a, b) => a - b));
    await expect(box.stats()).rejects.toMatchObject({ code: 'container.exited' });
  });

  test('a stream can be left and aborted', async () => {
    await using box = await startContainer({ image });
    for await (const _ of box.statsStream({ interval: '1h' })) break;
    const controller = new AbortController();
    const read = async () => {
      const { signal } = controller;
      for await (const _ of box.statsStream({ interval: '1h', signal }))
        controller.abort(new Error('enough'));
    };
    await expect(read()).rejects.toThrow('enough');
  });
});
