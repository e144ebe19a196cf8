import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import Module from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
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
    // By the content of the bundle, which tools/bundle-cli.ts makes a digest of.
    const keys = new RegExp(`^${process.version}-${process.arch}-[0-9a-f]{12}(-version)?$`);
    for (const name of readdirSync(join(home, 'cache/code'))) expect(name).toMatch(keys);
    for (const path of files) expect(statSync(path).mode & 0o077).toBe(0);
    const before = files.map((path) => readFileSync(path));
    expect(await version()).toEqual(first);
    expect(files.map((path) => readFileSync(path))).toEqual(before);
    for (const path of files) writeFileSync(path, 'not what V8 makes');
    expect(await version()).toEqual(first);
    expect(await version()).toEqual(first);
    for (const path of kept()) expect(statSync(path).size).toBeGreaterThan(100);
  });

  // Node's own, from 22.1 on, makes no difference between commands.
  test.skipIf('enableCompileCache' in Module)(
    "is each command's own, so that the first one does not decide what the others find",
    async () => {
      mkdirSync(join(home, 'cache'));
      const run = (...words: string[]) => mayfly(words, { program: BUILT, env: { MAYFLY_HOME: home } });
      expect((await run('images')).exitCode).toBe(0);
      const [shared] = kept().filter((path) => basename(path) === 'run.js');
      expect((await run('ps')).exitCode).toBe(0);
      const sizes = kept()
        .filter((path) => basename(path) === basename(shared!))
        .map((path) => statSync(path).size);
      expect(sizes).toHaveLength(2);
      expect(sizes[0]).not.toBe(sizes[1]);
    },
  );

  test.skipIf('enableCompileCache' in Module)(
    'is not that of a command that failed, which uses little of it',
    async () => {
      mkdirSync(join(home, 'cache'));
      const run = (...words: string[]) => mayfly(words, { program: BUILT, env: { MAYFLY_HOME: home } });
      expect((await run('run', '--pull', 'never', 'no/such/image')).exitCode).toBe(125);
      expect(existsSync(join(home, 'cache/code'))).toBe(false);
    },
  );

  test.skipIf('enableCompileCache' in Module)(
    'is removed a week after anything was added to it',
    async () => {
      const [old, recent] = ['old', 'recent'].map((name) => join(home, 'cache/code', name));
      for (const directory of [old!, recent!]) {
        mkdirSync(directory, { recursive: true });
        writeFileSync(join(directory, 'file'), '');
      }
      const weekAgo = Date.now() / 1000 - 8 * 24 * 3600;
      utimesSync(old!, weekAgo, weekAgo);
      await version();
      expect([existsSync(old!), existsSync(recent!)]).toEqual([false, true]);
    },
  );

  test('is nothing for a command that there is not', async () => {
    mkdirSync(join(home, 'cache'));
    await version();
    const before = readdirSync(join(home, 'cache/code'));
    expect((await mayfly(['nothing'], { program: BUILT, env: { MAYFLY_HOME: home } })).exitCode).toBe(125);
    expect(readdirSync(join(home, 'cache/code'))).toEqual(before);
  });

  test('is no condition: where it cannot be written, everything works', async () => {
    mkdirSync(join(home, 'cache'));
    writeFileSync(join(home, 'cache/code'), 'in the way');
    expect(await version()).toMatchObject({ exitCode: 0, stderr: '' });
  });
});
