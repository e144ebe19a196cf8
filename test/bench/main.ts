/**
 * `npm run bench [-- --json] [-- --only start,postgres]`
 *
 * What is measured is compiled as the package is: from source, every worker process would compile it first.
 *
 * Ratios within one run are what counts: the machines are shared, so times by themselves say little.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { debian, TEST_HOME } from '../fixtures/home.ts';
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

const { values } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' } } });
const wanted = values.only?.split(',');
const wants = (name: string) => wanted === undefined || wanted.includes(name);

const { stdout: fileSystemTable } = await execa('df', ['--output=fstype', TEST_HOME]);
const fileSystem = fileSystemTable.split('\n')[1];
const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${fileSystem}, Linux ${release()}, Node ${process.version}`;
const scratch = mkdtempSync(join(TEST_HOME, 'bench-'));
try {
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
  if (values.json) console.log(JSON.stringify({ machine, rows }));
  else print(rows);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function print(rows: readonly Row[]): void {
  console.log(machine);
  console.log('| row | unit | p50 | p95 | floor | x floor | testcontainers |\n|---|---|---|---|---|---|---|');
  for (const { name, unit, p50, p95, floor, peer } of rows) {
    const ratio = floor === null ? '-' : (p50 / floor).toFixed(2);
    console.log(`| ${name} | ${unit} | ${p50} | ${p95} | ${floor ?? '-'} | ${ratio} | ${peer ?? '-'} |`);
  }
}
