import { debian } from '../fixtures/home.ts';
import { cliRows } from './cli-rows.ts';
import { containerRows } from './container-rows.ts';
import { cachedBuildRow, commitRow } from './image-rows.ts';
import { concurrentRow, memoryRow } from './many-rows.ts';
import { postgresRow } from './postgres-row.ts';
import { pullRows } from './pull-rows.ts';
import type { Row } from './sample.ts';
import { snapshotRows } from './snapshot-rows.ts';
import { soakRows } from './soak-rows.ts';
import { suiteRow } from './suite-row.ts';
import { warmRows } from './warm-rows.ts';

interface Bench {
  /** An empty directory. */
  readonly scratch: string;
  readonly wants: (row: string) => boolean;
}

/** Measures the rows that are wanted, and whatever can only be measured together with them. */
export async function allRows({ scratch, wants }: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  // First, before other rows leave memory to be given back.
  if (['soak-fds', 'soak-rss', 'soak'].some(wants)) rows.push(...(await soakRows(await debian())));
  if (['start', 'exec', 'stop'].some(wants))
    rows.push(...(await containerRows(await debian(), scratch)).filter((row) => wants(row.name)));
  if (wants('concurrent-50')) rows.push(await concurrentRow(await debian()));
  if (wants('memory')) rows.push(await memoryRow(await debian()));
  if (wants('postgres')) rows.push(await postgresRow());
  if (wants('suite-100')) rows.push(await suiteRow());
  if (['snapshot', 'restore-cold'].some(wants))
    rows.push(...(await snapshotRows(scratch)).filter((row) => wants(row.name)));
  if (['restore-warm', 'fork-warm'].some(wants))
    rows.push(...(await warmRows()).filter((row) => wants(row.name)));
  if (['pull', 'pull-small-files', 'repull'].some(wants))
    rows.push(...(await pullRows({ image: await debian(), scratch, wants })));
  if (wants('commit')) rows.push(await commitRow(await debian()));
  if (wants('build-cached')) rows.push(await cachedBuildRow(await debian(), scratch));
  if (['cli-version', 'cli-run'].some(wants)) {
    await debian();
    rows.push(...(await cliRows('test/debian:bookworm', wants)));
  }
  return rows;
}
