import { PHASES, type Timeline } from '../containers/timeline/timeline.ts';

/** A complete event (`ph: 'X'`) or a name (`ph: 'M'`) of the Trace Event Format; times are microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly ph: 'X' | 'M';
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args?: object;
}

/** The tracks that phases are shown on: which process is at work. */
const TRACKS = ['mayfly', 'shim', 'init'] as const;
const TRACK_OF: Readonly<Record<(typeof PHASES)[number], (typeof TRACKS)[number]>> = {
  resolve: 'mayfly',
  layers: 'mayfly',
  program: 'mayfly',
  clone: 'shim',
  network: 'shim',
  mounts: 'init',
  ready: 'mayfly',
};

/**
 * A timeline for chrome://tracing, Perfetto and the like, in the JSON object format of "Trace Event Format"
 * (docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU).
 */
export function traceOf({ phases, startedAt, ...container }: Timeline): {
  traceEvents: TraceEvent[];
  displayTimeUnit: 'ms';
  otherData: object;
} {
  const pid = 1;
  const names = [
    { name: 'process_name', args: { name: `start of ${container.name}` }, tid: 0 },
    ...TRACKS.map((track, tid) => ({ name: 'thread_name', args: { name: track }, tid })),
  ].map((event) => ({ ...event, ph: 'M' as const, pid }));
  const events = PHASES.flatMap((phase) =>
    phases[phase].map(({ start, duration }) => ({
      name: phase,
      cat: 'start',
      ph: 'X' as const,
      pid,
      tid: TRACKS.indexOf(TRACK_OF[phase]),
      ts: Math.round(start * 1000),
      dur: Math.round(duration * 1000),
    })),
  );
  return {
    traceEvents: [...names, ...events],
    displayTimeUnit: 'ms',
    otherData: { ...container, startedAt },
  };
}
