import { spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import pg from 'pg';

const PORT = 54999;
/** The preset's own settings, so that both servers do the same. */
const SETTINGS = ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'];
const PASSWORD = 'postgres';

/** The server alone, on an initialised directory. */
export interface Bare extends Disposable {
  /** Milliseconds from its start to the answer of the first query. */
  sample(): Promise<number>;
}

/** Undefined where the machine has no PostgreSQL of its own. */
export async function openBare(): Promise<Bare | undefined> {
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
  const time = await untilAnswer(async () => {
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
    return `postgres://postgres:${PASSWORD}@127.0.0.1:${PORT}/postgres`;
  });
  server!.kill('SIGINT');
  await new Promise((resolve) => server!.once('exit', resolve));
  return time;
}

/** Milliseconds from the call of `start`, which resolves to a URL, to the answer to the first query there. */
export async function untilAnswer(start: () => Promise<string>): Promise<number> {
  const begin = performance.now();
  const client = new pg.Client(await start());
  await client.connect();
  await client.query('select 1');
  const time = performance.now() - begin;
  await client.end();
  return time;
}

export async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(sql);
  await client.end();
}
