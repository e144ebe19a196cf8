import pg from 'pg';
import { dirSync } from 'tmp-promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pruneSnapshots, pushImage, removeImage, seeded } from '../../../src/index.ts';
import { mayfly } from '../../fixtures/cli.ts';
import { TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { type RealRegistry, startDockerRegistry } from '../../fixtures/registry/docker-registry.ts';
import { requires } from '../../requires.ts';

requires(
  'root',
  'mmdebstrap',
  'docker-registry',
)('a seed that one machine has pushed', () => {
  const { name: other, removeCallback } = dirSync({ prefix: 'mayfly-shard-', unsafeCleanup: true });
  let registry: RealRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry();
  });
  const there = (...words: string[]) => mayfly(words, { env: { MAYFLY_HOME: other } });
  afterAll(async () => {
    await there('rm', '-f', 'first', 'second');
    await registry[Symbol.asyncDispose]();
    removeCallback();
  });

  test('is where the containers of another begin', { timeout: 600_000 }, async () => {
    const reference = `${registry.host}/seeds/shop:1`;
    const snapshot = await seeded({
      preset: 'postgres',
      options: { database: 'shop' },
      seed: async ({ url }) => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        await client.query(
          `create table items as select 'item ' || n as name from generate_series(1, 1000) n`,
        );
        await client.end();
      },
    });
    await snapshot.commit(reference);
    await pushImage(reference);

    for (const name of ['first', 'second']) {
      // Pulled by the first one, there already for the second.
      expect(await there('run', '-d', '--name', name, '-p', '5432', reference)).toMatchObject({
        exitCode: 0,
      });
      const sql = 'select count(*), max(name) from items';
      const ask = () => there('exec', name, 'psql', '-U', 'postgres', '-Atc', sql, 'shop');
      await expect.poll(ask, { timeout: 30_000 }).toMatchObject({ exitCode: 0, stdout: '1000|item 999' });
      // With the password that it was seeded with, from outside.
      const [address] = (await there('port', name, '5432')).stdout.split('\n');
      const client = new pg.Client({ connectionString: `postgres://postgres:postgres@${address}/shop` });
      await client.connect();
      await client.query('delete from items');
      await client.end();
    }
    await there('rm', '-f', 'first', 'second');
    await expectNoLeaks(other);
    await pruneSnapshots({ olderThan: 0 });
    await removeImage(reference);
    await expectNoLeaks(TEST_HOME);
  });
});
