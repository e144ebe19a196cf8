import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { container, withContainers } from 'mayfly/vitest';
import pg from 'pg';
import { expect } from 'vitest';

const SCHEMA = join(import.meta.dirname, 'schema.sql');

const test = withContainers({
  db: container('postgres', { files: [SCHEMA], seed: (db) => migrate(db.url), reset: 'test' }),
});

test('a test changes what it likes', async ({ db }) => {
  await query(db.url, 'delete from users');
  expect(await query(db.url, 'select name from users')).toEqual([]);
});

test('and the next one does not see it', async ({ db }) => {
  expect(await query(db.url, 'select name from users')).toEqual([{ name: 'ada' }]);
});

async function migrate(url: string): Promise<void> {
  await query(url, readFileSync(SCHEMA, 'utf8'));
}

async function query(url: string, sql: string): Promise<object[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
