import pg from 'pg';
import { expect, test } from 'vitest';
import { takeSnapshot } from '../../../src/containers/snapshots/take-snapshot.ts';
import { Snapshot, startContainer } from '../../../src/index.ts';
import { TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const ROUNDS = 100;
const WRITERS = 3;
const CHUNK = 20;

const SCHEMA = `
  create extension amcheck;
  create table pairs (id bigserial primary key, writer int not null, word text not null, hash text not null);
  create index on pairs (hash);
  insert into pairs (writer, word, hash) select n % ${WRITERS}, n::text, md5(n::text) from generate_series(1, 5000) n;`;

/** A transaction of inserts, updates and deletes of one writer's rows; each row holds what tells whether it is whole. */
const write = (writer: number) => `
  begin;
  insert into pairs (writer, word, hash)
    select ${writer}, r::text, md5(r::text) from (select random() r from generate_series(1, ${CHUNK})) s;
  update pairs set word = word || 'x', hash = md5(word || 'x') where writer = ${writer} and id % 97 = (random() * 96)::int;
  delete from pairs where id in (select id from pairs where writer = ${writer} order by random() limit ${CHUNK - 1});
  commit`;

/** What pg_amcheck asks: every page of every table, every index against its table. Reading verifies the checksums. */
const CHECKS = [
  `select count(*) as wrong from pairs where hash <> md5(word)`,
  `select count(*) as wrong from pg_class c, lateral verify_heapam(c.oid) where c.relkind in ('r', 't')`,
];
const INDICES = `select bt_index_parent_check(i.indexrelid, true) from pg_index i join pg_class c on c.oid = i.indexrelid
  join pg_am a on a.oid = c.relam where a.amname = 'btree' and c.relpersistence <> 't' and i.indisready and i.indisvalid`;

async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('PostgreSQL that is written to', () => {
  test(`is whole in each of ${ROUNDS} snapshots at random instants`, { timeout: 900_000 }, async () => {
    await using db = await startContainer('postgres', {
      initdbArgs: ['--wal-segsize=1', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync', '--data-checksums'],
      initSql: SCHEMA,
      config: { full_page_writes: 'on' },
    });
    let done = false;
    let transactions = 0;
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
      connected(db.url, async (client) => {
        while (!done) {
          await client.query(write(writer));
          transactions += 1;
        }
      }),
    );
    const { engine, service, waitFor } = db.parts;
    try {
      for (let round = 1; round <= ROUNDS; round += 1) {
        // Not the handle's, which has the server make a checkpoint first.
        const record = await takeSnapshot(db.parts, {});
        await using snapshot = new Snapshot<typeof db>({ engine, record, service, waitFor });
        await using copy = await snapshot.start();
        await connected(copy.url, async (client) => {
          for (const check of CHECKS)
            expect((await client.query(check)).rows, `round ${round}: ${check}`).toEqual([{ wrong: '0' }]);
          await client.query(INDICES);
        });
        await copy.stop({ timeout: 0 });
      }
    } finally {
      done = true;
    }
    await Promise.all(writers);
    expect(transactions).toBeGreaterThan(ROUNDS);
    await db.stop();
    await expectNoLeaks(TEST_HOME);
  });
});
