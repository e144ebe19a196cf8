import pg from 'pg';
import postgres from 'postgres';
import { createClient } from 'redis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Container, type PostgresExtras, type Snapshot, startContainer } from '../../../src/index.ts';
import { TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

/** A connection that hangs fails by it. */
const timeout = 20_000;

const NOTES = 'select text from notes';
const PRISTINE = [{ text: 'pristine' }];
const CHANGE = `update notes set text = 'changed'`;

for (const how of ['cold', 'by a spare']) {
  requires(
    'root',
    'mmdebstrap',
    'cgroup2',
  )(`connections to PostgreSQL, when a restore is ${how}`, () => {
    let db: Container & PostgresExtras;
    let snapshot: Snapshot;
    beforeAll(async () => {
      db = await startContainer('postgres', { initSql: `create table notes as select 'pristine' as text` });
      snapshot = await db.snapshot();
    });
    beforeEach(() => snapshot.keepSpares(how === 'cold' ? 0 : 1));
    afterAll(async () => {
      await snapshot[Symbol.asyncDispose]();
      await db.stop();
    });

    async function ask(question: string): Promise<object[]> {
      const client = new pg.Client(db.url);
      await client.connect();
      try {
        return (await client.query(question)).rows;
      } finally {
        await client.end();
      }
    }

    /** By the server's age one sees whether it was a spare. */
    async function expectHandOver(before: number): Promise<void> {
      const older = `select pg_postmaster_start_time() < to_timestamp(${before / 1000}) as older`;
      expect(await ask(older)).toEqual([{ older: how === 'by a spare' }]);
    }

    test('an idle client of pg gets an error and its end, and another one connects', {
      timeout,
    }, async () => {
      const client = new pg.Client(db.url);
      const errors: Error[] = [];
      client.on('error', (error) => errors.push(error));
      const ended = new Promise((resolve) => client.once('end', resolve));
      await client.connect();
      await client.query(CHANGE);
      const before = Date.now();
      await db.restore(snapshot);
      await ended;
      expect(errors.length).toBeGreaterThan(0);
      await expect(client.query(NOTES)).rejects.toThrow();
      expect(await ask(NOTES)).toEqual(PRISTINE);
      await expectHandOver(before);
    });

    test('queries in flight reject, of pg and of postgres', { timeout }, async () => {
      const client = new pg.Client(db.url);
      client.on('error', () => {});
      await client.connect();
      const sql = postgres(db.url, { max: 1 });
      const outcomes = Promise.allSettled([client.query('select pg_sleep(600)'), sql`select pg_sleep(600)`]);
      const inFlight = `select 1 from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'`;
      await expect.poll(() => ask(inFlight), { timeout: timeout / 2 }).toHaveLength(2);
      await db.restore(snapshot);
      expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect([...(await sql.unsafe(NOTES))]).toEqual(PRISTINE);
      await sql.end();
    });

    test('a pool of pg tells of each idle connection, and connects again', { timeout }, async () => {
      const CONNECTIONS = 3;
      const pool = new pg.Pool({ connectionString: db.url, max: CONNECTIONS });
      const errors: Error[] = [];
      pool.on('error', (error) => errors.push(error));
      for (let round = 1; round <= 3; round += 1) {
        const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.connect()));
        await clients[0]!.query(CHANGE);
        for (const client of clients) client.release();
        expect(pool.idleCount).toBe(CONNECTIONS);
        await snapshot.keepSpares(how === 'cold' ? 0 : 1);
        const before = Date.now();
        await db.restore(snapshot);
        expect((await pool.query(NOTES)).rows).toEqual(PRISTINE);
        await expect.poll(() => errors.length, { timeout }).toBe(round * CONNECTIONS);
        await expectHandOver(before);
      }
      await pool.end();
    });

    test('postgres connects again when it is next asked', { timeout }, async () => {
      const CONNECTIONS = 3;
      const sql = postgres(db.url, { max: CONNECTIONS });
      const onEach = (query: string) =>
        Promise.all(Array.from({ length: CONNECTIONS }, () => sql.unsafe(query)));
      await onEach('select pg_sleep(0.1)');
      for (let round = 1; round <= 3; round += 1) {
        await sql.unsafe(CHANGE);
        await snapshot.keepSpares(how === 'cold' ? 0 : 1);
        await db.restore(snapshot);
        const answers = await onEach(NOTES);
        expect(answers.flatMap((rows) => [...rows])).toEqual(Array(CONNECTIONS).fill(PRISTINE[0]));
      }
      await sql.end();
    });
  });

  requires(
    'root',
    'mmdebstrap',
    'cgroup2',
  )(`connections to Redis, when a restore is ${how}`, () => {
    test('a client connects again by itself', { timeout }, async () => {
      await using db = await startContainer('redis', { initCommands: 'SET key pristine' });
      await using snapshot = await db.snapshot();
      await snapshot.keepSpares(how === 'cold' ? 0 : 1);
      const client = createClient({ url: db.url });
      const errors: Error[] = [];
      client.on('error', (error) => errors.push(error));
      await client.connect();
      await client.set('key', 'changed');
      const connected = new Promise((resolve) => client.once('ready', resolve));
      await db.restore(snapshot);
      await connected;
      expect(errors.length).toBeGreaterThan(0);
      expect(await client.get('key')).toBe('pristine');
      client.destroy();
    });
  });
}

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('after restores with connections', () => {
  test('nothing is left', async () => {
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });
});
