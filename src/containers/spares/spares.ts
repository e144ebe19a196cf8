import type { Container } from '../container.ts';
import { writeRecord } from '../container-record.ts';
import type { Engine } from '../engine.ts';
import type { SnapshotParts } from '../snapshots/snapshot.ts';
import { forgetSnapshot } from '../successors/successors.ts';
import { SPARE_LABEL } from './spare-label.ts';
import { SparePool } from './spare-pool.ts';

/** Begins to keep so many copies of a snapshot ready, instead of as many as before; none for 0. */
export function openSpares(snapshot: SnapshotParts, count: number): SparePool | undefined {
  const { engine, record } = snapshot;
  const pool = engine.spares.get(record.id);
  if (pool !== undefined) {
    pool.resize(count);
    return pool;
  }
  if (count === 0) return undefined;
  const opened = new SparePool(snapshot, count);
  engine.spares.set(record.id, opened);
  return opened;
}

/** Ends what has been made ready on a snapshot that is not needed any longer. */
export async function closeSpares(engine: Engine, id: string): Promise<void> {
  const pool = engine.spares.get(id);
  engine.spares.delete(id);
  await forgetSnapshot(engine, id);
  await pool?.close();
}

/** Of a spare that somebody has taken: it is listed as any container from now on. */
export function becomeContainer(spare: Container): Container {
  const { parts } = spare;
  const { [SPARE_LABEL]: _, ...labels } = parts.record.options.labels ?? {};
  parts.record = { ...parts.record, options: { ...parts.record.options, labels } };
  writeRecord(parts.engine.home, parts.record);
  // It has ports of its own.
  parts.run.adoption?.[Symbol.dispose]();
  return spare;
}
