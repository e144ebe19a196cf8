import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BUILT, mayfly } from '../../fixtures/cli.ts';
import { requires } from '../../requires.ts';

requires('build')('what is kept of the compiled command line', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'mayfly-code-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const version = () => mayfly(['version'], { program: BUILT, env: { MAYFLY_HOME: home } });
  const kept = () => {
    const root = join(home, 'cache/code');
    return readdirSync(root, { recursive: true, encoding: 'utf8' })
      .map((name) => join(root, name))
      .filter((path) => statSync(path).isFile());
  };

  test('is nothing where there is no home yet', async () => {
    expect(await version()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readdirSync(home)).toEqual([]);
  });

  test('is used again, for us alone to read, and made again when it is damaged', async () => {
    mkdirSync(join(home, 'cache'));
    const first = await version();
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    const files = kept();
    expect(files.length).toBeGreaterThan(1);
    for (const path of files) expect(statSync(path).mode & 0o077).toBe(0);
    const before = files.map((path) => readFileSync(path));
    expect(await version()).toEqual(first);
    expect(files.map((path) => readFileSync(path))).toEqual(before);
    for (const path of files) writeFileSync(path, 'not what V8 makes');
    expect(await version()).toEqual(first);
    expect(await version()).toEqual(first);
    for (const path of kept()) expect(statSync(path).size).toBeGreaterThan(100);
  });

  test('is no condition: where it cannot be written, everything works', async () => {
    mkdirSync(join(home, 'cache'));
    writeFileSync(join(home, 'cache/code'), 'in the way');
    expect(await version()).toMatchObject({ exitCode: 0, stderr: '' });
  });
});
