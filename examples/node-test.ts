// Run by node --test, or as it is: each test has the database as the seed left it.
import assert from 'node:assert/strict';
import { container, withContainers } from 'mayfly/node-test';
import pg from 'pg';

const query = async (url: string, sql: string) => {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
};

const test = withContainers({
  db: container('postgres', {
    inputs: ['users, 1'],
    seed: async (db) => {
      const client = new pg.Client(db.url);
      await client.connect();
      await client.query(`create table users (name text); insert into users values ('ada')`);
      await client.end();
    },
  }),
});

test('a test changes what it likes', async ({ db }) => {
  await query(db.url, 'delete from users');
  assert.deepEqual(await query(db.url, 'select name from users'), []);
});

test('and the next one does not see it', async ({ db }) => {
  assert.deepEqual(await query(db.url, 'select name from users'), [{ name: 'ada' }]);
});
