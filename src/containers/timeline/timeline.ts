import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { type Mark, readMarks } from '../../runtime/state/marks.ts';
import type { Home } from '../../support/home.ts';
import type { ContainerRecord } from '../container-record.ts';
import type { Moments, Stopwatch } from './stopwatch.ts';

/** What a start goes through. `network` goes on while init mounts; all others follow one another. */
export const PHASES = ['resolve', 'layers', 'program', 'clone', 'mounts', 'network', 'ready'] as const;

export type Phase = (typeof PHASES)[number];

/** Milliseconds; `start` counts from the moment at which the container was asked for. */
export interface Span {
  readonly start: number;
  readonly duration: number;
}

/** Where the time of a start went. */
export interface Timeline {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** ISO 8601, when its process was born. */
  readonly startedAt: string;
  /** Milliseconds from asking to ready. */
  readonly total: number;
  /** Every phase, in order; the network is prepared before the clone and connected after it. */
  readonly phases: Readonly<Record<Phase, readonly Span[]>>;
}

/** Of containers that are gone, so many are known at most: each has one place, which a later one may take. */
const PLACES = 256;

/** Writes down where the time went, once the container is ready: beside its record, and where it is found when that is gone. */
export function keepTimeline(home: Home, record: ContainerRecord, watch: Stopwatch): void {
  const { id, clockOffsets, marks } = record.spec;
  const taken = readMarks(marks);
  if (taken === undefined) return;
  // Clocks inside may be ahead of ours.
  const ahead = (clockOffsets?.monotonic ?? 0) * 1000;
  const outside = { ...taken, born: taken.born - ahead, mounted: taken.mounted - ahead };
  const moments = watch.moments;
  const timeline: Timeline = {
    id,
    name: record.name,
    image: record.image.reference,
    startedAt: record.startedAt,
    total: moments.ready - moments.asked,
    phases: phasesOf(moments, outside),
  };
  const text = JSON.stringify(timeline);
  try {
    const path = join(home.containers, id, 'timeline.json');
    writeFileSync(path, text, { mode: 0o600 });
    takePlace(path, placeOf(home, id));
  } catch (error) {
    // The container has ended and is being removed, or there is no room: nobody's start fails for that.
    if (!isErrno(error, 'ENOENT', 'ENOSPC', 'EDQUOT')) throw error;
  }
}

/**
 * One more name for the same file, so that whoever looks there sees all of it. Whatever has the place is removed first: a rename
 * over it would wait for the disk (ext4's auto_da_alloc), and this is part of every start.
 */
function takePlace(path: string, place: string): void {
  rmSync(place, { force: true });
  try {
    linkSync(path, place);
  } catch (error) {
    // Two that took it at the same time are as good as each other.
    if (isErrno(error, 'EEXIST')) return;
    if (!isErrno(error, 'ENOENT')) throw error;
    mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
    linkSync(path, place);
  }
}

export function phasesOf(
  { asked, resolved, layered, ready }: Moments,
  { begun, cloning, connected, born, mounted }: Readonly<Record<Mark, number>>,
): Timeline['phases'] {
  const span = (from: number, to: number): Span => ({
    start: from - asked,
    duration: Math.max(0, to - from),
  });
  return {
    resolve: [span(asked, resolved)],
    layers: [span(resolved, layered)],
    program: [span(layered, begun)],
    clone: [span(cloning, born)],
    mounts: [span(born, mounted)],
    network: [span(begun, cloning), span(Math.min(born, connected), connected)],
    ready: [span(Math.max(mounted, connected), ready)],
  };
}

/** Undefined for a container that is not ready, or that went long ago. */
export function readTimeline(home: Home, id: string): Timeline | undefined {
  for (const path of [join(home.containers, id, 'timeline.json'), placeOf(home, id)]) {
    const timeline = read(path);
    if (timeline?.id === id) return timeline;
  }
  return undefined;
}

/** Those that are known, the latest start first. */
export function listTimelines(home: Home): Timeline[] {
  let names: string[];
  try {
    names = readdirSync(keptIn(home)).filter((name) => name.endsWith('.json'));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
  const dated = names.map((name) => {
    const path = join(keptIn(home), name);
    return { path, time: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
  });
  return dated.toSorted((a, b) => b.time - a.time).flatMap(({ path }) => read(path) ?? []);
}

function read(path: string): Timeline | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Timeline;
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const keptIn = (home: Home) => join(home.root, 'timelines');

function placeOf(home: Home, id: string): string {
  const place = createHash('sha256').update(id).digest().readUInt32LE() % PLACES;
  return join(keptIn(home), `${place}.json`);
}
