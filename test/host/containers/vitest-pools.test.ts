import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startContainer } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const ROOT = join(import.meta.dirname, '../../..');
const CONFIG = join(ROOT, 'test/fixtures/pools/vitest.config.ts');

requires('root', 'mmdebstrap')('a project whose tests start containers', () => {
  beforeAll(async () => {
    await debian();
  });
  afterAll(async () => {
    await (await startContainer({ image: 'test/debian:bookworm', stopTimeout: 0 })).stop();
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  for (const pool of ['forks', 'threads']) {
    test(`passes in vitest’s pool of ${pool}, and nothing is left of it, not even of what nobody stopped`, async () => {
      const { VITEST: _, ...env } = process.env;
      const argv = ['vitest', 'run', '--config', CONFIG];
      const { stdout, stderr } = await promisify(execFile)('npx', argv, {
        cwd: ROOT,
        env: { ...env, POOL: pool, NO_COLOR: '1', MAYFLY_TEST_HOME: TEST_HOME },
      });
      expect(stdout).toMatch(/Tests +4 passed/);
      expect(stderr).not.toMatch(/Warning|rror/);
      await expectNoLeaks(TEST_HOME);
    });
  }
});
