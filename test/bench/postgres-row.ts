import { spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import pg from 'pg';
import { startContainer } from '../../src/index.ts';
import { connectPeer } from './peer.ts';
import { milliseconds, type Row, toRow } from './sample.ts';

const ROUNDS = 25;
const WARM_UP = 3;
const PORT = 54999;
/** The preset's own settings, so that both servers do the same. */
const SETTINGS = ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'];
const PASSWORD = 'postgres';

/** Row `postgres`: from nothing to the answer of the first query, beside the server alone on an initialised directory. */
export async function postgresRow(): Promise<Row> {
  const samples = { ours: [] as number[], floor: [] as number[], peer: [] as number[] };
  using bare = await openBare();
  const peer = await connectPeer();
  await (await startContainer('postgres')).stop();
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const floor = await bare?.sample();
    const ours = await containerRound();
    const theirs = peer !== undefined && round >= 0 && round % 8 === 0 ? await peer.postgres() : undefined;
    if (round < 0) continue;
    samples.ours.push(ours);
    if (floor !== undefined) samples.floor.push(floor);
    if (theirs !== undefined) samples.peer.push(theirs);
  }
  return toRow('postgres', samples);
}

async function containerRound(): Promise<number> {
  const begin = performance.now();
  const container = await startContainer('postgres');
  await firstQuery(container.url);
  const time = performance.now() - begin;
  await container.stop();
  return time;
}

interface Bare extends Disposable {
  sample(): Promise<number>;
}

/** Undefined where the machine has no PostgreSQL of its own. */
async function openBare(): Promise<Bare | undefined> {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
  const bin = versions
    .map((version) => `/usr/lib/postgresql/${version}/bin`)
    .find((path) => existsSync(`${path}/postgres`));
  if (bin === undefined) return undefined;
  const { stdout } = await execa('id', ['-u', 'postgres']);
  const ids = { uid: Number(stdout), gid: Number((await execa('id', ['-g', 'postgres'])).stdout) };
  // Not below the home of mayfly, which only root may enter.
  const data = mkdtempSync(join(tmpdir(), 'mayfly-bench-'));
  chownSync(data, ids.uid, ids.gid);
  const passwordFile = `${data}.password`;
  writeFileSync(passwordFile, `${PASSWORD}\n`);
  const initdb = [
    '-D',
    data,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--wal-segsize=1',
    '--no-sync',
  ];
  await execa(`${bin}/initdb`, initdb, { ...ids, cwd: '/' });
  return {
    sample: () => bareRound({ bin, data, ids }),
    [Symbol.dispose]: () => {
      for (const path of [data, passwordFile]) rmSync(path, { recursive: true, force: true });
    },
  };
}

async function bareRound({
  bin,
  data,
  ids,
}: {
  bin: string;
  data: string;
  ids: { uid: number; gid: number };
}): Promise<number> {
  let server: ReturnType<typeof spawn> | undefined;
  const time = await milliseconds(async () => {
    const address = ['-c', 'listen_addresses=127.0.0.1', '-p', String(PORT), '-k', data];
    server = spawn(`${bin}/postgres`, ['-D', data, ...SETTINGS, ...address], {
      ...ids,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await new Promise<void>((resolve) => {
      server!.stderr!.on('data', (text: Buffer) => {
        if (text.includes('ready to accept connections')) resolve();
      });
    });
    await firstQuery(`postgres://postgres:${PASSWORD}@127.0.0.1:${PORT}/postgres`);
  });
  server!.kill('SIGINT');
  await new Promise((resolve) => server!.once('exit', resolve));
  return time;
}

async function firstQuery(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query('select 1');
  await client.end();
}
