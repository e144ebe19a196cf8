import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { program } from '../../fixtures/program.ts';
import { requires } from '../../requires.ts';

function run(env: Record<string, string>, { files = 0 } = {}) {
  const [node, ...argv] = program('test/fixtures/surroundings.ts');
  const stdout = execFileSync(node, [...argv, String(files)], {
    env: { ...process.env, MAYFLY_TEST_HOME: TEST_HOME, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as {
    stdout: string;
    lines: string[];
    found: boolean;
    files: number;
  };
}

requires('root', 'mmdebstrap')('containers work', () => {
  let directory: string;
  beforeAll(async () => {
    await debian();
    directory = mkdtempSync(join(tmpdir(), 'mayfly-surroundings-'));
  });
  afterAll(async () => {
    rmSync(directory, { recursive: true });
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test('with 1,000 files open, of which neither the container nor an exec sees any', () => {
    const few = run({});
    const many = run({}, { files: 1000 });
    expect(many).toMatchObject({ files: 1000, found: true });
    expect(many.stdout.split('\n')[0]).toBe(few.stdout.split('\n')[0]);
    expect(many.lines[0]).toBe(few.lines[0]);
  });

  test('under NODE_OPTIONS, which reach neither the container nor a worker of ours', () => {
    // It would spoil the output of every Node process that loads it, and our workers speak through theirs.
    const odd = join(directory, 'odd.cjs');
    writeFileSync(
      odd,
      "if (!(process.argv[1] ?? '-surroundings.ts').endsWith('surroundings.ts')) console.log('odd');",
    );
    for (const options of [`--require=${odd}`, '--max-old-space-size=200', '--inspect=0']) {
      const { stdout, lines, found } = run({ NODE_OPTIONS: options });
      expect(found).toBe(true);
      expect(stdout + lines.join('\n')).not.toContain('NODE_OPTIONS');
    }
  });
});
