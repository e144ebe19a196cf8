import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaNode } from 'execa';
import { expect, test } from 'vitest';
import { requires } from '../../requires.ts';

const SCRIPT = `
  import { rmSync } from 'node:fs';
  import { listContainers } from 'mayfly';
  console.log((await listContainers()).length);
  rmSync(process.env.MAYFLY_HOME, { recursive: true });`;

requires('root')('a process whose home is removed before it ends', () => {
  test('ends as any other', async () => {
    const home = mkdtempSync(join(tmpdir(), 'mayfly-home-'));
    const flags = ['--import', 'tsx', '--conditions=mayfly-source', '--input-type=module'];
    const result = await execaNode('--eval', [SCRIPT], { nodeOptions: flags, env: { MAYFLY_HOME: home } });
    expect([result.exitCode, result.stdout]).toEqual([0, '0']);
  });
});
