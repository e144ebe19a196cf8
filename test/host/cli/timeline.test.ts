import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { type Image, startContainer, type Timeline } from '../../../src/index.ts';
import { mayfly as runCli } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const env = { MAYFLY_HOME: TEST_HOME };
const mayfly = (...words: string[]) => runCli(words, { env });
const PHASES = ['resolve', 'layers', 'program', 'clone', 'mounts', 'network', 'ready'];

requires('root', 'mmdebstrap')('where the time of a start goes', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });
  afterEach(async () => {
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test('a handle knows it, phase by phase, also after a restart', async () => {
    const began = performance.now();
    await using container = await startContainer({ image, stopTimeout: 0 });
    const took = performance.now() - began;
    const timeline = container.timeline!;
    expect(timeline).toMatchObject({ id: container.id, name: container.name });
    expect(Object.keys(timeline.phases)).toEqual(PHASES);
    expect(timeline.total).toBeGreaterThan(0);
    expect(timeline.total).toBeLessThanOrEqual(took + 1);
    for (const { start, duration } of Object.values(timeline.phases).flat()) {
      expect(start).toBeGreaterThanOrEqual(0);
      expect(duration).toBeGreaterThanOrEqual(0);
      expect(start + duration).toBeLessThanOrEqual(timeline.total + 0.001);
    }
    const of = (phase: keyof Timeline['phases']) => timeline.phases[phase].at(-1)!;
    expect(of('program').start).toBeGreaterThanOrEqual(of('layers').start + of('layers').duration - 0.001);
    expect(of('clone').duration).toBeGreaterThan(0);
    expect(of('mounts').start).toBeGreaterThan(of('clone').start);
    expect(of('network').duration).toBeGreaterThan(0);
    await container.restart({ timeout: 0 });
    expect(container.timeline!.startedAt > timeline.startedAt).toBe(true);
  });

  test('own clocks, no network and an image that is PID 1 change nothing about that', async () => {
    const options = { network: 'none', init: false, clockOffsets: { monotonic: '1h' } } as const;
    await using container = await startContainer({ image, ...options, stopTimeout: 0 });
    const { phases, total } = container.timeline!;
    expect(phases.mounts[0]!.start + phases.mounts[0]!.duration).toBeLessThan(total);
  });

  test('the command line shows bars, of the last start even when it is gone, and writes a trace', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mayfly-trace-'));
    const file = join(directory, 'trace.json');
    const run = await mayfly('run', '--rm', '--name', 'quick', 'test/debian:bookworm', 'true');
    expect(run).toMatchObject({ exitCode: 0 });
    const { stdout, stderr } = await mayfly('timeline', '--last', '--trace', file);
    expect(stderr).toBe('');
    const [title, , heading, ...rows] = stdout.split('\n');
    expect(title).toMatch(/^quick [0-9a-f]{12} of test\/debian:bookworm: ready after [\d.]+ ms$/);
    expect(heading).toMatch(/ms$/);
    expect(rows.map((row) => row.split(' ')[0])).toEqual(PHASES);
    for (const row of rows) expect(row).toMatch(/^\w+ +[\d.]+ +[█▏ ]+$/);
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: { name: string }[] };
    expect(new Set(traceEvents.map(({ name }) => name))).toEqual(
      new Set(['process_name', 'thread_name', ...PHASES]),
    );
    expect(JSON.parse((await mayfly('timeline', 'quick', '--format', 'json')).stdout)).toMatchObject({
      name: 'quick',
    });
    rmSync(directory, { recursive: true });
  });

  test.each([
    [[], 125, 'one container, or --last'],
    [['--last', 'x'], 125, 'one container, or --last'],
    [['nobody'], 1, 'no start of nobody is known'],
  ])('timeline %j fails', async (words, exitCode, why) => {
    expect(await mayfly('timeline', ...words)).toMatchObject({
      exitCode,
      stderr: expect.stringContaining(why),
    });
  });
});
