import { ObservedProcess } from '../runtime/launch/observed-process.ts';
import { isAlive } from '../runtime/state/container-store.ts';
import type { ContainerParts } from './container-parts.ts';
import { readRecord } from './container-record.ts';
import type { Engine } from './engine.ts';
import { Run } from './run.ts';

/**
 * The parts of a container that this process has not started, from what is on disk. Undefined when there is none, or none
 * that has started yet.
 */
export function openContainer(engine: Engine, id: string): ContainerParts | undefined {
  const { home } = engine;
  const record = readRecord(home, id);
  if (record === undefined) return undefined;
  const { runRecord, pulse } = record.spec;
  const supervision = ObservedProcess.open({
    shimPid: record.shimPid,
    runRecord,
    pulse,
    isAlive: () => isAlive(home, id),
  });
  return supervision && { engine, record, run: new Run({ pid: supervision.pid, supervision }) };
}
