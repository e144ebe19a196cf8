import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dirSync } from 'tmp-promise';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  getSnapshot,
  listContainers,
  listSnapshots,
  pruneSnapshots,
  startContainer,
} from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import {
  factsIn,
  runVitest,
  type VitestProject,
  type VitestRunOptions,
  vitest3,
  vitest4,
  vitestEnvironment,
} from '../../fixtures/vitest-runs.ts';
import { requires } from '../../requires.ts';

const ROOT = join(import.meta.dirname, '../../..');

requires('root', 'mmdebstrap')('containers as fixtures of vitest', () => {
  const scratch = dirSync({ prefix: 'mayfly-vitest-', unsafeCleanup: true });
  const report = join(scratch.name, 'report');
  beforeAll(async () => {
    await debian();
  });
  afterEach(() => pruneSnapshots({ olderThan: 0 }));
  afterAll(() => scratch.removeCallback());

  const own = vitest4();
  let oldest: VitestProject;
  beforeAll(() => {
    oldest = vitest3();
  });
  const projectOf = (version: number) => (version === 3 ? oldest : own);
  const run = (specs: string, options: Partial<VitestRunOptions> = {}, version = 4) =>
    runVitest(projectOf(version), { specs, report, ...options });

  for (const version of [3, 4]) {
    for (const pool of ['forks', 'threads']) {
      for (const isolate of [true, false]) {
        test(`vitest ${version}, pool ${pool}, isolated: ${isolate}: put back per test, per file, never`, async () => {
          const env = { POOL: pool, ISOLATE: `${isolate}` };
          const { stdout, stderr, facts } = await run('reset/*.spec.ts', { env }, version);
          expect(stdout).toContain(`RUN  v${version}.`);
          expect(stdout).toMatch(/Tests +10 passed/);
          expect(stderr).not.toMatch(/Warning|rror/);
          const rounds = facts.filter(({ round }) => round !== undefined);
          expect(rounds.map(({ each }) => each)).toEqual(Array(6).fill('pristine'));
          const perFile = (file: unknown) => ['', ` ${file}1`, ` ${file}1 ${file}2`];
          const [first, second] = [rounds[0]!.file, rounds[3]!.file];
          const expected = [...perFile(first), ...perFile(second)].map((text) => `pristine${text}`);
          expect(rounds.map(({ perFile }) => perFile)).toEqual(expected);
          const all = rounds.map(({ file, round }) => `${file}${round}`);
          expect(rounds.map(({ never }) => never)).toEqual(
            isolate ? expected : all.map((_, index) => ['pristine', ...all.slice(0, index)].join(' ')),
          );
          // One container of each for a worker, which with isolation is there for one file.
          expect(new Set(rounds.map(({ id, url }) => `${id} ${url}`)).size).toBe(isolate ? 2 : 1);
          expect(facts[0]).toMatchObject({ names: 'none', running: 0 });
          expect(await listContainers({ all: true })).toEqual([]);
        });
      }
    }

    test(`vitest ${version}: concurrent tests have one each, unless they are to share it`, async () => {
      const { stdout, facts } = await run('concurrent.spec.ts', {}, version);
      expect(stdout).toMatch(/Tests +5 passed/);
      expect(new Set(facts.map(({ each }) => each)).size).toBe(4);
      expect(new Set(facts.map(({ shared }) => shared)).size).toBe(1);
    });

    test(`vitest ${version}: a failure shows where the container was and what it said, and its state can be kept`, async () => {
      const env = { MAYFLY_KEEP: 'failed' };
      const { stdout, stderr, exitCode, facts } = await run('failing.spec.ts', { env }, version);
      expect(exitCode).toBe(1);
      expect(stdout).toMatch(/Tests +1 failed \| 2 passed/);
      const name = 'failed-failing.spec.ts-an-order-is-paid-twice-box';
      expect(stderr).toMatch(
        new RegExp(`box: ${facts[0]!.host} \\(.*\\)\n +up\n *kept: mayfly run --rm ${name}\n`),
      );
      await using copy = await (await getSnapshot(name)).start();
      expect((await copy.exec(['cat', '/state'])).stdout).toBe('pristine\nevidence\n');
    });
  }

  test('a spare that stands ready takes over before the next test', async () => {
    const { stdout, facts } = await run('spares.spec.ts');
    expect(stdout).toMatch(/Tests +3 passed/);
    expect(facts.map(({ taken }) => taken)).toEqual([0, 1, 1]);
    expect(new Set(facts.map(({ id }) => id)).size).toBe(1);
    expect(await listContainers({ all: true })).toEqual([]);
  });

  test('each shard has what it needs', async () => {
    for (const shard of ['1/2', '2/2']) {
      const { stdout, facts } = await run('reset/*.spec.ts', { args: ['--shard', shard] });
      expect(stdout).toMatch(/Tests +5 passed/);
      expect(facts[1]).toMatchObject({ each: 'pristine', perFile: 'pristine', never: 'pristine' });
    }
  });

  test('nothing is kept of a failure when nobody wants it', async () => {
    const { stdout, stderr } = await run('failing.spec.ts');
    expect(stdout).toMatch(/Tests +1 failed \| 2 passed/);
    expect(stderr).not.toContain('kept');
    expect((await listSnapshots()).map(({ name }) => name?.split('-')[0])).toEqual(['seed']);
  });

  test('a test that is run again because a file has changed begins as it should', async () => {
    mkdirSync(join(ROOT, 'build'), { recursive: true });
    const project = mkdtempSync(join(ROOT, 'build', 'watched-'));
    const spec = join(project, 'watched.spec.ts');
    const source = (round: number) => `
      import { withContainers } from 'mayfly/vitest';
      import { expect } from 'vitest';
      import { box, read, report, write } from '${join(ROOT, 'test/fixtures/with-containers/boxes.ts')}';
      const test = withContainers({ each: box('test'), perFile: box('file') });
      test('round', async ({ each, perFile }) => {
        expect(await read(each)).toBe('pristine');
        report({ round: ${round}, perFile: await read(perFile) });
        for (const container of [each, perFile]) await write(container, 'written');
      });`;
    writeFileSync(spec, source(1));
    writeFileSync(report, '');
    const env = { PROJECT: project, ISOLATE: 'false' };
    const watching = spawn(process.execPath, [own.vitest, 'watch', '--config', own.config], {
      cwd: ROOT,
      // A group of its own, to be ended as by Ctrl-C.
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: vitestEnvironment({ specs: '*.spec.ts', report, env }),
    });
    let output = '';
    watching.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    try {
      for (const round of [1, 2, 3]) {
        const passed = () => output.match(/Tests +1 passed/g)?.length ?? 0;
        await expect.poll(passed, { timeout: 60_000 }).toBe(round);
        await expect.poll(() => output).toMatch(/Waiting for file changes/);
        if (round < 3) writeFileSync(spec, source(round + 1));
      }
    } finally {
      const ended = new Promise((resolve) => watching.once('exit', resolve));
      process.kill(-watching.pid!, 'SIGINT');
      await ended;
      rmSync(project, { recursive: true });
    }
    expect(factsIn(report)).toMatchObject([1, 2, 3].map((round) => ({ round, perFile: 'pristine' })));
  });

  for (const { pool, spares } of [
    { pool: 'forks', spares: 0 },
    { pool: 'threads', spares: 1 },
  ]) {
    test(`200 tests in 2 workers of ${pool}, with ${spares} spares: none sees what another has written`, {
      timeout: 300_000,
    }, async () => {
      const env = { POOL: pool, WORKERS: '2', SPARES: `${spares}` };
      const { stdout, stderr } = await run('isolation/*.spec.ts', { env });
      expect(stdout, stderr).toMatch(/Tests +200 passed/);
    });
  }

  test('nothing is left', async () => {
    // A start takes away what workers that were ended have left to it.
    await (await startContainer({ image: 'test/debian:bookworm', stopTimeout: 0 })).stop();
    await expectNoLeaks(TEST_HOME);
    await expect.poll(() => leftOnDisk(TEST_HOME)).toEqual([]);
  });
});
