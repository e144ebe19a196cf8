import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { inspectImage } from '../../../src/index.ts';
import { FROM_SOURCE, mayfly as runCli } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const BASE = 'test/debian:bookworm';
const ID = /^sha256:[0-9a-f]{64}$/;
const env = { MAYFLY_HOME: TEST_HOME, FROM_ENVIRONMENT: 'inherited' };

requires('root', 'mmdebstrap')('mayfly build', () => {
  let context: string;
  beforeAll(async () => {
    await debian();
  });
  beforeEach(() => {
    context = mkdtempSync(join(tmpdir(), 'mayfly-cli-build-'));
  });
  afterEach(() => rmSync(context, { recursive: true }));

  const put = (name: string, ...lines: string[]) => {
    mkdirSync(dirname(join(context, name)), { recursive: true });
    writeFileSync(join(context, name), lines.join('\n'));
  };
  const build = (...words: string[]) => runCli(['build', ...words], { env });
  const built = async (...words: string[]) => {
    const { stdout, ...result } = await build('-q', ...words);
    expect(result).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(ID);
    return inspectImage(stdout);
  };
  const onStdin = (input: string, ...words: string[]) => {
    const [program, ...args] = [...FROM_SOURCE, 'build', '-q', ...words];
    return execa(program!, args, { env, input, reject: false });
  };

  test('names, arguments, labels, a target, another Dockerfile, a file with the id', async () => {
    put(
      'docker/Other',
      `FROM ${BASE} AS one`,
      'ARG A',
      'ARG B',
      'ARG FROM_ENVIRONMENT',
      'LABEL a=$A b=$B c=$FROM_ENVIRONMENT',
      'FROM one',
      'LABEL a=two',
    );
    const iidfile = join(context, 'iid');
    const image = await built(
      ...['-t', 'test/cli-build:1', '--tag', 'test/cli-build:2', '-f', join(context, 'docker/Other')],
      ...['--build-arg', 'A=1', '--build-arg', 'B=x=y', '--build-arg', 'FROM_ENVIRONMENT', '--target', 'one'],
      ...[
        '--label',
        'd=4',
        '--label',
        'empty',
        '--iidfile',
        iidfile,
        '--platform',
        'linux/amd64'.replace('amd64', process.arch === 'arm64' ? 'arm64' : 'amd64'),
      ],
      context,
    );
    expect(image.config.Labels).toEqual({ a: '1', b: 'x=y', c: 'inherited', d: '4', empty: '' });
    expect(image.references.filter((name) => name.includes('cli-build')).sort()).toEqual([
      'docker.io/test/cli-build:1',
      'docker.io/test/cli-build:2',
    ]);
    expect(readFileSync(iidfile, 'utf8')).toBe(image.id);
  });

  test('progress is plain where stderr is no terminal: steps by number, what they write, what was made before', async () => {
    put('Dockerfile', `FROM ${BASE} AS base`, 'RUN echo hello; echo there >&2', 'LABEL a=b');
    const { stdout, stderr, exitCode } = await build('--no-cache', context);
    expect({ exitCode, id: ID.test(stdout) }).toEqual({ exitCode: 0, id: true });
    expect(
      stderr
        .split('\n')
        .filter((line) => !/there|hello$/.test(line))
        .map((line) => line.replace(/\d+\.\d s/, 'N s')),
    ).toEqual(
      [
        `[base 1/3] FROM ${BASE} AS base`,
        '[base] CACHED',
        '[base 2/3] RUN echo hello; echo there >&2'.replace(/.*/, ''),
        '[base] N s',
        '[base 3/3] LABEL a=b',
        '[base] CACHED',
      ].filter(Boolean),
    );
    expect(stderr).toContain('[base] hello\n');
    expect(stderr).toContain('[base] there\n');
    const again = await build('--progress', 'plain', context);
    expect(again.stderr).not.toContain('[base] hello\n');
    expect(again.stdout).toBe(stdout);
  });

  test('secrets come from files and variables', async () => {
    put('secret', 'of a file');
    put(
      'Dockerfile',
      `FROM ${BASE}`,
      'RUN --mount=type=secret,id=f --mount=type=secret,id=v wc -c < /run/secrets/f > /n; wc -c < /run/secrets/v >> /n',
      'RUN test "$(cat /n | tr "\\n" " ")" = "9 9 "',
    );
    const secrets = [
      '--secret',
      `id=f,src=${join(context, 'secret')}`,
      '--secret',
      'id=v,env=FROM_ENVIRONMENT',
    ];
    await built('--no-cache', ...secrets, context);
    for (const bad of ['src=x', 'id=x,src=/no/such/file', 'id=x,env=NOT_SET', 'id=x,odd=1'])
      expect((await build('--secret', bad, context)).exitCode, bad).toBe(125);
  });

  test('a Dockerfile comes from stdin, with the context or without one', async () => {
    put('f', 'f');
    const withContext = await onStdin(`FROM ${BASE}\nCOPY f /f`, '-f', '-', context);
    expect(withContext).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(ID) });
    expect(await onStdin(`FROM ${BASE}\nLABEL a=b`, '-')).toMatchObject({ exitCode: 0 });
    const without = await onStdin(`FROM ${BASE}\nCOPY f /f`, '-');
    expect(without).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Dockerfile:2: f is not in the context'),
    });
  });

  test('a failure shows the line, what was said and the code, and removes the file with the id', async () => {
    put('Dockerfile', `FROM ${BASE}`, 'RUN echo no luck; exit 3');
    const iidfile = join(context, 'iid');
    writeFileSync(iidfile, 'of before');
    const { exitCode, stdout, stderr } = await build('-q', '--iidfile', iidfile, context);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toBe(
      'mayfly: Dockerfile:2: RUN ended with code 3\n  it said last:\n    no luck\n  2 | RUN echo no luck; exit 3',
    );
    expect(() => readFileSync(iidfile)).toThrow('ENOENT');
  });

  test('what makes no sense is refused', async () => {
    expect(await build(join(context, 'nowhere'))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is no directory'),
    });
    expect(await build(context)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('there is no Dockerfile'),
    });
    for (const words of [
      [],
      ['https://example.test/x.git'],
      ['--progress', 'odd', context],
      ['-f', 'x', '-'],
    ])
      expect((await build(...words)).exitCode, words.join(' ')).toBe(125);
    put('Dockerfile', `FROM ${BASE}`);
    expect((await build('-t', 'Not A Name', context)).exitCode).toBe(1);
  });

  test('interrupted, it ends with nothing left, and says by what', async () => {
    put('Dockerfile', `FROM ${BASE}`, 'RUN echo begun; sleep 1000');
    const [program, ...args] = [...FROM_SOURCE, 'build', '--no-cache', context];
    const building = execa(program!, args, { env, reject: false, buffer: true });
    for await (const chunk of building.stderr) if (String(chunk).includes('begun\n')) break;
    building.kill('SIGINT');
    expect(await building).toMatchObject({ exitCode: 130, stdout: '' });
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });
});
