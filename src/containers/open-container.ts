import { awaitRelease, ObservedProcess } from '../runtime/launch/observed-process.ts';
import { endedSupervision } from '../runtime/launch/supervision.ts';
import { isAlive } from '../runtime/state/container-store.ts';
import type { ContainerParts } from './container-parts.ts';
import { type ContainerRecord, readOwnRecord } from './container-record.ts';
import type { Engine } from './engine.ts';
import { openEvents } from './events.ts';
import { isKept, lastExit } from './remains.ts';
import { endedRun, Run } from './run.ts';

/**
 * The parts of a container that this process has not started, from what is on disk. Undefined when there is none, none that has
 * started yet, or only what the next sweep removes.
 */
export function openContainer(engine: Engine, id: string): ContainerParts | undefined {
  const record = readOwnRecord(engine.home, id);
  const run = record && openRun(engine, record);
  return run && { engine, record, run, events: openEvents() };
}

function openRun({ home }: Engine, record: ContainerRecord): Run | undefined {
  const { shimPid, spec } = record;
  const { runRecord, pulse } = spec;
  const alive = () => isAlive(home, spec.id);
  const isHeld = alive();
  const supervision = isHeld
    ? ObservedProcess.open({ shimPid, runRecord, pulse, isAlive: alive })
    : ('ended' as const);
  if (supervision === 'ended') {
    if (!isKept(record)) return undefined;
    return endedRunOf(record, isHeld ? awaitRelease(alive) : Promise.resolve());
  }
  return supervision && new Run({ pid: supervision.pid, supervision, ours: false });
}

/** `gone`: its shim has let go of everything. */
function endedRunOf(record: ContainerRecord, gone: Promise<void>): Run {
  const exit = lastExit(record);
  const supervision = { ...endedSupervision(exit), exited: gone.then(() => exit) };
  const run = new Run({ pid: 0, supervision, ours: false });
  run.exit = endedRun(exit);
  return run;
}
