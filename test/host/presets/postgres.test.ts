import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startContainer } from '../../../src/index.ts';
import { presetContract } from '../../contract/preset-contract.ts';
import { TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.map((row: unknown[]) => row[0]);
  } finally {
    await client.end();
  }
}

presetContract({
  name: 'postgres',
  port: 5432,
  start: (options) => startContainer('postgres', options),
  startWithPassword: (password) => startContainer('postgres', { password }),
  client: {
    put: async (url, value) => {
      await query(url, 'create table if not exists kept (value text)');
      await query(url, `insert into kept values ('${value}')`);
    },
    get: async (url) => {
      const [table] = await query(url, `select to_regclass('kept')::text`);
      if (table === null) return undefined;
      return (await query(url, 'select value from kept order by ctid desc limit 1'))[0] as string;
    },
  },
  command: { argv: ['psql', '--version'], prints: /^psql \(PostgreSQL\) \d+/ },
  logs: /database system is ready to accept connections/,
  badOptions: [
    { user: '' },
    { password: '' },
    { database: 5 },
    { initdbArgs: '--no-sync' },
    { initSql: [null] },
    { config: { 'a b': 1 } },
    { config: { fsync: null } },
  ],
  dying: {
    options: { config: { max_connections: 'many' } },
    says: /invalid value for parameter "max_connections": "many"/,
  },
});

requires('root', 'mmdebstrap')('the preset postgres', () => {
  test('user, password, database, settings and initial data', { timeout: 600_000 }, async () => {
    const options = {
      user: 'ada',
      password: 's3cr:t/@',
      database: 'engine',
      config: { max_connections: 17 },
      initSql: ['create table notes (text text)', `insert into notes values ('it''s there')`],
      initdbArgs: ['--wal-segsize=1', '--no-sync', '--data-checksums'],
    };
    for (let start = 1; start <= 2; start += 1) {
      await using db = await startContainer('postgres', options);
      expect(db.url).toBe(`postgres://ada:s3cr%3At%2F%40@${db.host}:5432/engine`);
      expect(await query(db.url, 'select text from notes')).toEqual(["it's there"]);
      expect(await query(db.url, 'show max_connections')).toEqual(['17']);
      expect(await query(db.url, 'show data_checksums')).toEqual(['on']);
      expect(await query(db.url, 'select current_user')).toEqual(['ada']);
    }
  });

  test('without the cache it initialises each time', { timeout: 600_000 }, async () => {
    await using db = await startContainer('postgres', { cache: false, initSql: 'create table fresh ()' });
    const texts: string[] = [];
    for await (const { text } of db.logs()) texts.push(text);
    expect(texts.join('\n')).toContain('initdb');
    expect(await query(db.url, 'select count(*)::int from fresh')).toEqual([0]);
  });

  test('wrong SQL is an error of its own, and nothing is kept of it', { timeout: 600_000 }, async () => {
    const start = () => startContainer('postgres', { initSql: 'selec nonsense', database: 'broken' });
    await expect(start()).rejects.toMatchObject({ code: 'preset.sql-failed' });
    await expect(start()).rejects.toThrow(/syntax error/);
  });

  test('two processes at once initialise once', { timeout: 600_000 }, async () => {
    const database = `once_${Date.now()}`;
    const script = `import('mayfly').then(async ({ startContainer }) => {
      const db = await startContainer('postgres', { database: '${database}' });
      const lines = []; for await (const { text } of db.logs()) lines.push(text);
      console.log(lines.some((line) => line.includes('initdb')) ? 'initialised' : 'found');
      await db.stop();
    })`;
    const argv = ['--import', 'tsx', '--conditions=mayfly-source', '--eval', script];
    const options = {
      env: { ...process.env, MAYFLY_HOME: TEST_HOME },
      cwd: join(import.meta.dirname, '../../..'),
    };
    const run = () => promisify(execFile)(process.execPath, argv, options);
    const outputs = await Promise.all([run(), run(), run()]);
    // Each starts on the cached layer, so none of the three has an initdb of its own in its log.
    expect(outputs.map(({ stdout }) => stdout.trim())).toEqual(['found', 'found', 'found']);
    const layers = await import('node:fs').then(({ readdirSync }) =>
      readdirSync(join(TEST_HOME, 'cache/boot')),
    );
    expect(layers.filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  test('nothing is left', async () => {
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test('the first connection to a spare copies no file up: those before it have', async () => {
    await using container = await startContainer('postgres');
    await using snapshot = await container.snapshot();
    await snapshot.keepSpares(1);
    await container.restore(snapshot);
    const upper = join(TEST_HOME, 'containers', container.id, 'upper');
    const copied = () => readdirSync(upper, { recursive: true }).length;
    const before = copied();
    expect(await query(container.url, 'select 1')).toEqual([1]);
    expect(copied()).toBe(before);
  });
});
