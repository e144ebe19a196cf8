import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postgres } from '../../../presets/postgres/index.ts';
import { openEngine } from '../../../src/containers/engine.ts';
import { type Container, type Image, startContainer, Wait } from '../../../src/index.ts';
import { findImage } from '../../../src/presets/image-source.ts';
import '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

const READY = Wait.forLogMessage(/database system is ready to accept connections/, { times: 2 });

requires('root', 'mmdebstrap')(
  'the recipe’s entrypoint honours the environment of the official image',
  () => {
    let image: Image;
    let scratch: string;
    beforeAll(async () => {
      image = await findImage(openEngine(), { preset: postgres, signal: undefined });
      scratch = mkdtempSync(join(tmpdir(), 'mayfly-entrypoint-'));
      // The user postgres has to read what is in it.
      chmodSync(scratch, 0o755);
    });
    afterAll(() => rmSync(scratch, { recursive: true }));

    const start = (env: Record<string, string>) =>
      startContainer({
        image,
        env,
        waitFor: READY,
        mounts: [{ type: 'bind', source: scratch, target: '/docker-entrypoint-initdb.d' }],
      });
    const ask = async (db: Container, database: string, sql: string, env: Record<string, string> = {}) =>
      (
        await db.exec(['psql', '-XAt', '-h', db.ipAddress, '-U', 'ada', '-d', database, '-c', sql], { env })
      ).stdout.trim();

    test('user, database, password from a file, arguments, directories and scripts', async () => {
      writeFileSync(join(scratch, 'password'), 'sesame\n');
      writeFileSync(join(scratch, '10-table.sql'), 'create table from_sql as select 1 as n;');
      writeFileSync(
        join(scratch, '20-more.sh'),
        'psql -v ON_ERROR_STOP=1 -d "$POSTGRES_DB" -c "create table from_sh as select 2 as n"',
        { mode: 0o755 },
      );
      await using db = await start({
        POSTGRES_USER: 'ada',
        POSTGRES_DB: 'engine',
        POSTGRES_PASSWORD_FILE: '/docker-entrypoint-initdb.d/password',
        POSTGRES_INITDB_ARGS: '--data-checksums --no-sync',
        POSTGRES_INITDB_WALDIR: '/var/lib/postgresql/wal',
        PGDATA: '/var/lib/postgresql/elsewhere',
      });
      const env = { PGPASSWORD: 'sesame' };
      expect(await ask(db, 'engine', 'select (select n from from_sql) + (select n from from_sh)', env)).toBe(
        '3',
      );
      expect(await ask(db, 'engine', 'show data_checksums', env)).toBe('on');
      expect(await ask(db, 'engine', 'show data_directory', env)).toBe('/var/lib/postgresql/elsewhere');
      expect((await db.exec(['readlink', '/var/lib/postgresql/elsewhere/pg_wal'])).stdout.trim()).toBe(
        '/var/lib/postgresql/wal',
      );
      expect(await ask(db, 'engine', 'select 1', { PGPASSWORD: 'wrong' })).toBe('');
    });

    test('trust lets anybody in', async () => {
      for (const name of ['10-table.sql', '20-more.sh']) rmSync(join(scratch, name));
      await using db = await start({ POSTGRES_HOST_AUTH_METHOD: 'trust', POSTGRES_USER: 'ada' });
      expect(await ask(db, 'ada', 'select current_user')).toBe('ada');
    });

    test('without a password it says what is missing', async () => {
      const error = await start({}).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'container.exited', exitCode: 1 });
      expect((error as Error).message).toContain('set POSTGRES_PASSWORD');
    });

    test('scripts that cannot be read are not passed over', async () => {
      chmodSync(scratch, 0o700);
      const error = await start({ POSTGRES_PASSWORD: 'x' }).catch((reason: unknown) => reason);
      chmodSync(scratch, 0o755);
      expect((error as Error).message).toContain('cannot be read by the user postgres');
    });

    test('other commands than the server run as they are', async () => {
      await using box = await startContainer({
        image,
        command: ['echo', 'hello'],
        waitFor: Wait.forLogMessage('hello'),
      });
      expect(box.ports).toEqual([5432]);
    });
  },
);
