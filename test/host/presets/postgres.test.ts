import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startContainer } from '../../../src/index.ts';
import { TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.map((row: unknown[]) => row[0]);
  } finally {
    await client.end();
  }
}

requires('root', 'mmdebstrap')('the preset postgres', () => {
  test('is a real server, privately', { timeout: 600_000 }, async () => {
    await using one = await startContainer('postgres');
    await using two = await startContainer('postgres', { memory: '512m', cpus: 1, pids: 200 });
    expect(await query(one.url, 'select version()')).toEqual([expect.stringMatching(/^PostgreSQL \d+/)]);
    await query(one.url, 'create table t as select 42 as n');
    expect(await query(one.url, 'select n from t')).toEqual([42]);
    await expect(query(two.url, 'select n from t')).rejects.toThrow(/does not exist/);
    expect((await one.exec(['psql', '-XAtc', 'select 1 + 1'], { user: 'postgres' })).stdout).toBe('2\n');
    const texts: string[] = [];
    for await (const { text } of one.logs({ tail: 200 })) texts.push(text);
    expect(texts.join('\n')).toContain('ready to accept connections');
    expect(one.port).toBe(5432);
  });

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

  test('bad options', async () => {
    await expect(startContainer('postgres', { user: '' })).rejects.toMatchObject({ code: 'option.invalid' });
    await expect(startContainer('postgres', { nonsense: 1 } as object)).rejects.toMatchObject({
      code: 'option.invalid',
    });
  });

  test('nothing is left', async () => {
    await expectNoLeaks(TEST_HOME, 20_000);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });
});
