import { awaitDead } from '../runtime/state/container-store.ts';
import type { ContainerParts } from './container-parts.ts';
import { type ContainerRecord, readRecord, writeRecord } from './container-record.ts';
import { settleContainer } from './stop.ts';

/** Has a container go on without this process, which has started it: as if it had been started detached. */
export function detachContainer(parts: ContainerParts): void {
  // First, because what is recorded as detached is kept when it ends.
  parts.run.supervision.detach();
  parts.record = asDetached(parts.record);
  writeRecord(parts.engine.home, parts.record);
}

/** Has what is left of a container that has ended stay until somebody removes it. */
export async function keepContainer(parts: ContainerParts): Promise<void> {
  const { home } = parts.engine;
  const { id } = parts.record.spec;
  const lock = await awaitDead(home, id);
  if (lock === 'gone') return;
  try {
    const record = readRecord(home, id);
    if (record === undefined) return;
    parts.record = asDetached(record);
    writeRecord(home, parts.record);
  } finally {
    lock.release();
  }
  await settleContainer(parts);
}

function asDetached(record: ContainerRecord): ContainerRecord {
  return {
    ...record,
    options: { ...record.options, detached: true },
    spec: { ...record.spec, detached: true },
  };
}
