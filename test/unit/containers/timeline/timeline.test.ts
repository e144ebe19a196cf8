import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bar } from '../../../../src/cli/commands/timeline.ts';
import { traceOf } from '../../../../src/cli/trace.ts';
import type { ContainerRecord } from '../../../../src/containers/container-record.ts';
import { Stopwatch } from '../../../../src/containers/timeline/stopwatch.ts';
import {
  keepTimeline,
  listTimelines,
  phasesOf,
  readTimeline,
} from '../../../../src/containers/timeline/timeline.ts';
import { resolveHome } from '../../../../src/support/home.ts';

const moments = { asked: 100, resolved: 101, layered: 103, ready: 120 };
const marks = { begun: 106, cloning: 107, born: 108, connected: 112, mounted: 111 };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mayfly-timeline-'));
});
afterEach(() => rmSync(root, { recursive: true }));

test('phases count from the moment of asking; ready begins when both the mounts and the network are there', () => {
  expect(phasesOf(moments, marks)).toEqual({
    resolve: [{ start: 0, duration: 1 }],
    layers: [{ start: 1, duration: 2 }],
    program: [{ start: 3, duration: 3 }],
    clone: [{ start: 7, duration: 1 }],
    mounts: [{ start: 8, duration: 3 }],
    network: [
      { start: 6, duration: 1 },
      { start: 8, duration: 4 },
    ],
    ready: [{ start: 12, duration: 8 }],
  });
});

function keep(id: string, clock = 0): void {
  const home = resolveHome({ MAYFLY_HOME: root });
  const directory = join(home.containers, id);
  mkdirSync(directory, { recursive: true });
  const bytes = Buffer.alloc(80);
  const now = process.hrtime.bigint();
  ['begun', 'cloning', 'connected', 'born', 'mounted'].forEach((_, i) => {
    const time = now + BigInt(i) * 1_000_000n + (i > 2 ? BigInt(clock) * 1_000_000_000n : 0n);
    bytes.writeBigInt64LE(time / 1_000_000_000n, i * 16);
    bytes.writeBigInt64LE(time % 1_000_000_000n, i * 16 + 8);
  });
  writeFileSync(join(directory, 'marks'), bytes);
  const spec = {
    id,
    marks: join(directory, 'marks'),
    clockOffsets: clock === 0 ? undefined : { monotonic: clock, boottime: 0 },
  };
  const record = { name: `n-${id}`, startedAt: '2026-01-01T00:00:00Z', image: { reference: 'app:1' }, spec };
  const watch = new Stopwatch();
  watch.take('resolved');
  watch.take('layered');
  watch.take('ready');
  keepTimeline(home, record as unknown as ContainerRecord, watch);
}

test('a timeline outlives its container, and no more than 256 are kept', () => {
  const home = resolveHome({ MAYFLY_HOME: root });
  expect(listTimelines(home)).toEqual([]);
  keep('a');
  expect(readTimeline(home, 'a')).toMatchObject({ id: 'a', name: 'n-a', image: 'app:1' });
  rmSync(join(home.containers, 'a'), { recursive: true });
  expect(readTimeline(home, 'a')).toMatchObject({ id: 'a' });
  for (let i = 0; i < 600; i += 1) keep(`c${i}`);
  const files = readdirSync(join(root, 'timelines'));
  expect(files.length).toBeGreaterThan(200);
  expect(files.length).toBeLessThanOrEqual(256);
  for (const file of files) utimesSync(join(root, 'timelines', file), 1, 1);
  keep('last');
  expect(listTimelines(home)[0]).toMatchObject({ id: 'last' });
});

test('clocks that a container has of its own do not stretch it', () => {
  keep('ahead', 3600);
  const { phases } = readTimeline(resolveHome({ MAYFLY_HOME: root }), 'ahead')!;
  expect(phases.mounts[0]!.start).toBeLessThan(1000);
});

test('a bar lies where its span lies; what is short still shows', () => {
  expect(bar([{ start: 0, duration: 50 }], 100)).toBe('█'.repeat(25));
  expect(bar([{ start: 50, duration: 50 }], 100)).toBe(' '.repeat(25) + '█'.repeat(25));
  expect(bar([{ start: 10, duration: 0.1 }], 100)).toBe(`${' '.repeat(5)}▏`);
  expect(bar([{ start: 100, duration: 0 }], 100)).toBe(`${' '.repeat(49)}▏`);
});

test('a trace is what the Trace Event Format asks for', () => {
  const timeline = { id: 'a', name: 'db', image: 'app:1', startedAt: 'x', total: 20 };
  const trace = traceOf({ ...timeline, phases: phasesOf(moments, marks) });
  expect(trace.otherData).toEqual(timeline);
  expect(trace.displayTimeUnit).toBe('ms');
  const tracks = trace.traceEvents.filter(({ ph }) => ph === 'M');
  expect(tracks.map(({ name, args }) => [name, args])).toEqual([
    ['process_name', { name: 'start of db' }],
    ['thread_name', { name: 'mayfly' }],
    ['thread_name', { name: 'shim' }],
    ['thread_name', { name: 'init' }],
  ]);
  const events = trace.traceEvents.filter(({ ph }) => ph === 'X');
  expect(events).toHaveLength(8);
  for (const { ts, dur, pid, tid, cat } of events) {
    expect({ pid, cat }).toEqual({ pid: 1, cat: 'start' });
    expect(Number.isInteger(ts) && ts! >= 0 && Number.isInteger(dur) && dur! >= 0).toBe(true);
    expect(tracks.map((track) => track.tid)).toContain(tid);
  }
  expect(events.find(({ name }) => name === 'mounts')).toMatchObject({ ts: 8000, dur: 3000, tid: 2 });
});
