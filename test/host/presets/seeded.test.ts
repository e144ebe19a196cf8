import { execFile, spawn } from 'node:child_process';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { createClient } from 'redis';
import { dirSync } from 'tmp-promise';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { getSnapshot, listSnapshots, pruneSeeds, pruneSnapshots, seeded } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { program } from '../../fixtures/program.ts';
import { requires } from '../../requires.ts';

const [NODE, ...SEEDER] = program('test/fixtures/seeder.ts');
const ARGV = [...SEEDER, 'test/debian:bookworm'];

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.map((row: unknown[]) => row[0]);
  } finally {
    await client.end();
  }
}

requires('root', 'mmdebstrap')('seeded containers', () => {
  const { name: directory, removeCallback } = dirSync({ prefix: 'mayfly-seeds-', unsafeCleanup: true });
  let count = 0;
  beforeAll(async () => {
    await debian();
  });
  afterEach(() => pruneSnapshots({ olderThan: 0 }));
  afterAll(() => removeCallback());

  /** The seed of the fixture, in this process. */
  const box = (options: { inputs?: string[]; files?: string[]; seed?: () => unknown } = {}) =>
    seeded({
      container: { image: 'test/debian:bookworm', command: ['sleep', 'infinity'], stopTimeout: 0 },
      seed: async (container) => {
        count += 1;
        await container.exec(['sh', '-c', 'echo $0 > /state', `${count}`]);
      },
      ...options,
    });
  const counted = (path: string) => readFileSync(path, 'utf8').split('\n').length - 1;
  const counterFile = (name: string) => {
    const path = join(directory, name);
    writeFileSync(path, '');
    return path;
  };

  test('six processes at once seed once, and later ones find it', { timeout: 60_000 }, async () => {
    const counter = counterFile('once');
    const seedOne = () => promisify(execFile)(NODE, [...ARGV, counter, 'once']);
    const outputs = await Promise.all(Array.from({ length: 6 }, seedOne));
    outputs.push(await seedOne());
    expect(new Set(outputs.map(({ stdout }) => stdout)).size).toBe(1);
    expect(outputs[0]!.stdout).toMatch(/^[0-9a-f]{24} seeded\n$/);
    expect(counted(counter)).toBe(1);
  });

  test('when the one that seeds is killed, the next one seeds', { timeout: 60_000 }, async () => {
    const counter = counterFile('killed');
    const victim = spawn(NODE, [...ARGV, counter, 'killed', 'hangs'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => victim.once('exit', resolve));
    await expect.poll(() => counted(counter), { timeout: 30_000 }).toBe(1);
    const next = promisify(execFile)(NODE, [...ARGV, counter, 'killed']);
    victim.kill('SIGKILL');
    await ended;
    expect((await next).stdout).toMatch(/ seeded\n$/);
    expect(counted(counter)).toBe(2);
    expect(await listSnapshots()).toHaveLength(1);
  });

  test('a seed that fails leaves nothing, and the next one tries', async () => {
    let tries = 0;
    const seed = () => {
      tries += 1;
      if (tries < 2) throw new Error('no such table');
    };
    await expect(box({ seed })).rejects.toThrow('no such table');
    expect(await listSnapshots()).toEqual([]);
    const snapshot = await box({ seed });
    expect(tries).toBe(2);
    expect(snapshot.name).toMatch(/^seed-[0-9a-f]{40}$/);
  });

  test('another input, another file, another option: another seed', async () => {
    const file = counterFile('migration.sql');
    const before = count;
    const all = [
      await box({ inputs: ['1'] }),
      await box({ inputs: ['2'] }),
      await box({ files: [file] }),
      await box({ inputs: ['1'] }),
    ];
    writeFileSync(file, 'create table t ()');
    all.push(await box({ files: [file] }));
    expect(count - before).toBe(4);
    expect(all[3]!.id).toBe(all[0]!.id);
    const states = await Promise.all(
      all.map(async (snapshot) => {
        await using copy = await snapshot.start();
        return (await copy.exec(['cat', '/state'])).stdout;
      }),
    );
    expect(new Set(states).size).toBe(4);
    await expect(box({ files: ['nowhere/*.sql'] })).rejects.toMatchObject({
      code: 'snapshot.seed-input-missing',
    });
  });

  test('old ones are pruned, then those used longest ago, but none that is in use', async () => {
    const [old, used, small, newest] = [
      await box({ inputs: ['old'] }),
      await box({ inputs: ['used'] }),
      await box({ inputs: ['small'] }),
      await box({ inputs: ['newest'] }),
    ];
    const usedDaysAgo = ({ id }: { id: string }, days: number) => {
      const moment = new Date(Date.now() - days * 86_400_000);
      utimesSync(join(TEST_HOME, 'snapshots', id, 'snapshot.json'), moment, moment);
    };
    usedDaysAgo(old, 15);
    usedDaysAgo(used, 20);
    usedDaysAgo(small, 2);
    {
      await using _user = await used.start();
      expect(await pruneSeeds()).toEqual([old.id]);
    }
    // Asking for it counts as a use.
    expect((await box({ inputs: ['used'] })).id).toBe(used.id);
    expect(await pruneSeeds()).toEqual([]);
    usedDaysAgo(used, 1);
    // A seed here is one block of 4 KiB.
    expect(await pruneSeeds({ maxSize: '9k' })).toEqual([small.id]);
    expect(await pruneSeeds({ maxSize: 0 })).toEqual([newest.id, used.id]);
  });

  test('a seeded postgres has its url, starts without recovery, and is found by its name', {
    timeout: 600_000,
  }, async () => {
    const snapshot = await seeded({
      preset: 'postgres',
      options: { database: 'shop', name: 'not-the-seed' },
      seed: (db) => query(db.url, `create table items as select 'apple' as name`),
    });
    expect(snapshot.method).toBe('seal');
    await using db = await snapshot.start();
    expect(await query(db.url, 'select name from items')).toEqual(['apple']);
    await query(db.url, 'drop table items');
    await db.restore(snapshot);
    expect(await query(db.url, 'select name from items')).toEqual(['apple']);
    const lines: string[] = [];
    for await (const { text } of db.logs()) lines.push(text);
    expect(lines.join('\n')).not.toMatch(/recovery|interrupted/);
    await using other = await (await getSnapshot<typeof db>(snapshot.name!)).start();
    expect(other.url).toMatch(/^postgres:.*\/shop$/);
    expect(await query(other.url, 'select name from items')).toEqual(['apple']);
  });

  test('what a seeded redis has in memory is kept', { timeout: 600_000 }, async () => {
    const snapshot = await seeded({
      preset: 'redis',
      seed: async ({ url }) => {
        const client = await createClient({ url }).connect();
        await client.set('greeting', 'hello');
        client.destroy();
      },
    });
    await using cache = await snapshot.start();
    const client = await createClient({ url: cache.url }).connect();
    expect(await client.get('greeting')).toBe('hello');
    client.destroy();
  });

  test('nothing is left', () => expectNoLeaks(TEST_HOME));
});
