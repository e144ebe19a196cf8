import { afterEach, beforeAll, expect, test } from 'vitest';
import { mayfly as runCli } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const IMAGE = 'test/debian:bookworm';
const mayfly = (...words: string[]) => runCli(words, { env: { MAYFLY_HOME: TEST_HOME } });
const CHECK = ['--health-cmd', 'test -e /well', '--health-interval', '50ms', '--health-retries', '200'];

requires('root', 'mmdebstrap')('the health of what run -d has started', () => {
  beforeAll(async () => {
    await debian();
  });
  afterEach(async () => {
    const names = (await mayfly('ps', '-aq')).stdout.split('\n').filter(Boolean);
    if (names.length > 0) expect(await mayfly('rm', '-f', ...names)).toMatchObject({ exitCode: 0 });
    await expectNoLeaks(TEST_HOME);
  });

  test('is waited for with --wait', async () => {
    // Well at the third look.
    const check = 'echo >> /looks; [ $(wc -l < /looks) -ge 3 ]';
    const { exitCode, stdout, stderr } = await mayfly('run', '-d', '--wait', '--health-cmd', check, IMAGE);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect((await mayfly('exec', stdout, 'wc', '-l', '/looks')).stdout).toMatch(/^[3-9] /);
  });

  test('is nothing that anybody knows afterwards, and the command says so', async () => {
    const { exitCode, stderr } = await mayfly('run', '-d', '--name', 'box', ...CHECK, IMAGE);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('--wait') });
    expect((await mayfly('ps', '--format', '{{.Status}}')).stdout).toMatch(/^Up [^(]*$/);
    const [info] = JSON.parse((await mayfly('inspect', 'box')).stdout) as [
      { State: object; Config: { Healthcheck: object } },
    ];
    expect(info.State).not.toHaveProperty('Health');
    expect(info.Config.Healthcheck).toMatchObject({ Interval: 50e6, Retries: 200 });
  });

  test('that turns out bad with --wait is a failure that leaves nothing, as is a check that is missing', async () => {
    const bad = ['--health-cmd', 'echo unwell; exit 1', '--health-interval', '20ms', '--health-retries', '2'];
    const failed = await mayfly('run', '-d', '--wait', ...bad, IMAGE);
    expect([failed.exitCode, failed.stdout]).toEqual([125, '']);
    expect(failed.stderr).toContain('unwell');
    expect(await mayfly('run', '-d', '--wait', IMAGE)).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('no health check'),
    });
    expect((await mayfly('run', '--wait', ...CHECK, IMAGE)).exitCode).toBe(125);
    expect((await mayfly('ps', '-aq')).stdout).toBe('');
  });
});
