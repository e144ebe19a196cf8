import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { listContainers, pruneSeeds } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const CASES = join(import.meta.dirname, '../../fixtures/node-test-cases.ts');

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('mayfly/node-test', () => {
  beforeAll(async () => {
    await debian();
  });

  test('puts the container back for each test, tells of a failure, and leaves nothing', async () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { exitCode, stdout } = await execa(
      process.execPath,
      ['--import', 'tsx', '--conditions=mayfly-source', '--test-reporter=tap', CASES],
      { env: { ...env, MAYFLY_TEST_HOME: TEST_HOME }, extendEnv: false, reject: false },
    );
    expect(stdout).toMatch(/^ok 1 - the first/m);
    expect(stdout).toMatch(/^ok 2 - the second/m);
    expect(stdout).toMatch(/^not ok 3 - the third/m);
    expect(stdout).toMatch(/^# box: [\d.]+ \(.+\)/m);
    expect(stdout).toMatch(/^# +a word/m);
    expect(exitCode).toBe(1);
    expect(await listContainers({ all: true })).toEqual([]);
    await pruneSeeds({ olderThan: 0 });
    await expectNoLeaks(TEST_HOME);
  });
});
