import type { ProcessExit } from '../../runtime/launch/supervision.ts';
import type { ContainerRecord } from '../container-record.ts';
import { type ContainerEvent, eventOf } from './container-event.ts';
import type { ToldLine } from './tell.ts';

/** How far a container has come. */
export interface Known {
  readonly record: ContainerRecord;
  readonly stage: 'created' | 'running' | 'ended';
  /** The run that has written its run record last. */
  readonly ran: { readonly pid: number; readonly run: number } | undefined;
  /** How many of its processes the kernel has killed for want of memory in its present run. */
  readonly oomKills: number;
  /** Of one that has ended. */
  readonly exit: ProcessExit | undefined;
}

/** Of one that is gone: as it was, and how its run ended. */
export type Gone = Pick<Known, 'record' | 'exit'> & { readonly stage: 'gone' };

/** A moment in the life of a container: everything of a run comes before the next run, and in this order. */
interface Moment {
  readonly run: number;
  readonly phase: 'create' | 'start' | 'running' | 'die' | 'ended' | 'destroy';
  readonly what: Pick<ContainerEvent, 'action' | 'at'> & Partial<ContainerEvent>;
}

const PHASES: readonly Moment['phase'][] = ['create', 'start', 'running', 'die', 'ended', 'destroy'];

/**
 * What has happened to a container since it was looked at last, in order: what shows, and what has been told meanwhile.
 *
 * The order is not that of the times alone: some of them are those of files, whose clock may be a tick behind.
 */
export function whatHappened(
  before: Known | undefined,
  now: Known | Gone,
  told: readonly ToldLine[],
): { events: ContainerEvent[]; oomKills: number } {
  const kills = new Map<number, number>();
  if (before !== undefined) kills.set(before.record.restarts, before.oomKills);
  const isNews = ({ run, action, attributes }: ToldLine) => {
    if (action !== 'oom') return true;
    const [known, count] = [kills.get(run) ?? 0, Number(attributes.kills)];
    kills.set(run, Math.max(known, count));
    return count > known;
  };
  const lines = told.filter(isNews).map(momentOf);
  const run = now.record.restarts;
  const known = kills.get(run) ?? 0;
  const oomKills = now.stage === 'gone' ? known : Math.max(known, now.oomKills);
  const shown = now.stage === 'gone' ? goneMoments(before, now) : shownMoments(before, now, lines);
  // Nobody has told of it: who started the container is gone, or the container has ended with it.
  const oom = { action: 'oom', at: now.exit?.at ?? new Date() } as const;
  const untold: Moment[] = oomKills > known ? [{ run, phase: 'running', what: oom }] : [];
  return { events: inOrder(now.record, [...shown, ...lines, ...untold]), oomKills };
}

function momentOf({ run, ended, action, at, attributes }: ToldLine): Moment {
  const { kills: _, ...rest } = attributes;
  return { run, phase: ended ? 'ended' : 'running', what: { action, at: new Date(at), attributes: rest } };
}

function shownMoments(
  before: Known | undefined,
  { record, stage, exit }: Known,
  lines: readonly Moment[],
): Moment[] {
  const { restarts: run } = record;
  const startedAt = new Date(record.startedAt);
  const moments: Moment[] = [];
  const again = before !== undefined && before.record.restarts !== run;
  if (before === undefined)
    moments.push({ run: -2, phase: 'create', what: { action: 'create', at: new Date(record.createdAt) } });
  if (again && before.stage === 'running') {
    const last = before.record.restarts;
    const after = lines.find((line) => line.run === last && line.phase === 'ended');
    moments.push({ run: last, phase: 'die', what: { action: 'die', at: after?.what.at ?? startedAt } });
  }
  const started = stage !== 'created' && (again || before === undefined || before.stage === 'created');
  if (started) moments.push({ run, phase: 'start', what: { action: 'start', at: startedAt } });
  if (exit !== undefined && (started || before?.stage === 'running')) moments.push(death(run, exit));
  return moments;
}

function goneMoments(before: Known | undefined, { record, exit }: Gone): Moment[] {
  const { restarts: run } = record;
  const gone: Moment = { run, phase: 'destroy', what: { action: 'destroy', at: new Date() } };
  return exit !== undefined && before?.stage === 'running' ? [death(run, exit), gone] : [gone];
}

function death(run: number, { exitCode, at }: ProcessExit): Moment {
  return { run, phase: 'die', what: { action: 'die', at, attributes: { exitCode: String(exitCode) } } };
}

function inOrder(record: ContainerRecord, moments: readonly Moment[]): ContainerEvent[] {
  const rank = ({ phase }: Moment) => PHASES.indexOf(phase);
  let latest = 0;
  return moments
    .toSorted((a, b) => a.run - b.run || rank(a) - rank(b))
    .map(({ what }) => {
      latest = Math.max(latest, what.at.getTime());
      return eventOf(record, { ...what, at: new Date(latest) });
    });
}
