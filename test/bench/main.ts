/**
 * `npm run bench [-- --json] [-- --only start,postgres] [-- --docker]`
 *
 * What is measured is compiled as the package is: from source, every worker process would compile it first.
 *
 * `--docker` measures beside a Docker engine that is started for it; without, beside the one at `DOCKER_HOST`, where there is one.
 *
 * Ratios within one run are what counts: the machines are shared, so times by themselves say little.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { openEngine } from '../../src/containers/engine.ts';
import { TEST_HOME } from '../fixtures/home.ts';
import { allRows } from './all-rows.ts';
import { inOwnNetwork, openOwnDocker, runInOwnNetwork } from './own-docker.ts';
import type { Row } from './sample.ts';

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, only: { type: 'string' }, docker: { type: 'boolean' } },
});
const wanted = values.only?.split(',');
const wants = (name: string) => wanted === undefined || wanted.includes(name);

if (values.docker && !inOwnNetwork()) process.exitCode = await runInOwnNetwork();
else await measure();

async function measure(): Promise<void> {
  // The first program on a machine finds no home.
  openEngine();
  const { stdout } = await execa('df', ['--output=fstype', TEST_HOME]);
  const fileSystem = stdout.split('\n')[1];
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${fileSystem}, Linux ${release()}, Node ${process.version}`;
  const scratch = mkdtempSync(join(TEST_HOME, 'bench-'));
  try {
    await using _docker = values.docker ? await openOwnDocker(scratch) : undefined;
    const rows = await allRows({ scratch, wants });
    if (values.json) console.log(JSON.stringify({ machine, rows }));
    else print(machine, rows);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function print(machine: string, rows: readonly Row[]): void {
  console.log(machine);
  console.log(
    '| row | unit | p50 | p95 | floor | p50 / floor | peer | peer / p50 |\n|---|---|---|---|---|---|---|---|',
  );
  const ratio = (value: number | null, to: number | null) =>
    value === null || to === null ? '-' : (value / to).toFixed(2);
  for (const { name, unit, p50, p95, floor, peer } of rows) {
    const floors = `${floor ?? '-'} | ${ratio(p50, floor)}`;
    console.log(`| ${name} | ${unit} | ${p50} | ${p95} | ${floors} | ${peer ?? '-'} | ${ratio(peer, p50)} |`);
  }
}
