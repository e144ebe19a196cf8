import { afterAll, beforeAll, expect, test } from 'vitest';
import { startContainer } from '../../../src/index.ts';
import { mayfly as runCli } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const env = { MAYFLY_HOME: TEST_HOME, MAYFLY_IMAGES: 'recipe' };
const mayfly = (...words: string[]) => runCli(words, { env });

requires('root', 'mmdebstrap')('the commands on snapshots', () => {
  beforeAll(async () => {
    await debian();
  });
  afterAll(async () => {
    await mayfly('rm', '-f', 'original', 'copy', 'again');
    await mayfly('snapshot', 'rm', 'filled', 'rows');
    await expectNoLeaks(TEST_HOME);
  });

  test('create, ls, start, run and rm', async () => {
    await mayfly(
      'run',
      '-d',
      '--name',
      'original',
      'test/debian:bookworm',
      'sh',
      '-c',
      'cat /state; sleep 100',
    );
    await mayfly('exec', 'original', 'sh', '-c', 'echo filled > /state');
    const created = await mayfly('snapshot', 'create', 'original', 'filled');
    expect(created).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^[0-9a-f]{24}$/) });
    const listed = await mayfly('snapshot', 'ls', '--format', '{{.ID}} {{.Name}} {{.Container}} {{.Image}}');
    // The newest comes first; other tests may have left theirs.
    expect(listed.stdout.split('\n')[0]).toMatch(
      new RegExp(`^${created.stdout.slice(0, 12)} filled original .*test/debian:bookworm$`),
    );

    const started = await mayfly('snapshot', 'start', 'filled');
    expect(started).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect((await mayfly('exec', started.stdout, 'cat', '/state')).stdout).toBe('filled');
    expect((await mayfly('snapshot', 'rm', 'filled')).stderr).toContain('stands on the snapshot');
    await mayfly('rm', '-f', started.stdout);

    await mayfly('run', '-d', '--name', 'copy', '-e', 'A=1', 'filled');
    expect((await mayfly('exec', 'copy', 'sh', '-c', 'cat /state; echo $A')).stdout).toBe('filled\n1');
    await mayfly('rm', '-f', 'copy');
    expect(await mayfly('snapshot', 'rm', 'filled')).toMatchObject({ exitCode: 0, stdout: 'filled' });
    expect((await mayfly('snapshot', 'ls', '-q')).stdout).not.toContain(created.stdout.slice(0, 12));
    expect(await mayfly('snapshot', 'rm', 'filled')).toMatchObject({ exitCode: 1 });
  });

  test('run opens a preset’s snapshot, ready, and says where it is', { timeout: 600_000 }, async () => {
    {
      await using db = await startContainer('postgres', {
        initSql: 'create table kept as select 7 as number',
      });
      await db.snapshot('rows');
    }
    const { stderr } = await mayfly('run', '-d', '--name', 'again', 'rows');
    expect(stderr).toMatch(/postgres:\/\/postgres:postgres@[\d.]+:5432\/postgres$/);
    const sql = 'select number from kept';
    expect((await mayfly('exec', 'again', 'psql', '-U', 'postgres', '-Atc', sql)).stdout).toBe('7');
  });
});
