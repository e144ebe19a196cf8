import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import {
  type ContainerOptions,
  type Image,
  isMayflyError,
  startContainer,
  Wait,
} from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

requires('root', 'mmdebstrap')('bad input gets a typed error, and nothing is left', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  const cases: [string, object, string][] = [
    ['a command that is not there', { command: ['nosuch'] }, 'container.command-not-found'],
    ['a file that is no program', { command: ['/etc/passwd'] }, 'container.command-not-executable'],
    [
      'a port that never opens',
      { waitFor: Wait.forListeningPorts([5432], { timeout: 200 }) },
      'wait.timeout',
    ],
    ['a log line that never comes', { waitFor: Wait.forLogMessage('x', { timeout: 200 }) }, 'wait.timeout'],
    [
      'a container that dies first',
      { command: ['false'], waitFor: Wait.forListeningPorts([1]) },
      'container.exited',
    ],
    ['too small a memory limit', { memory: '1m' }, 'cgroup.memory-too-small'],
    ['more CPUs than there are', { cpus: 10_000 }, 'cgroup.cpus-out-of-range'],
    [
      'a bind source that does not exist',
      { mounts: [{ type: 'bind', source: '/no/such', target: '/x' }] },
      'container.bind-source-missing',
    ],
    ['a relative mount target', { mounts: [{ type: 'tmpfs', target: 'x' }] }, 'option.invalid'],
    ['an option of the wrong type', { cpus: '2' }, 'option.invalid'],
    ['an option that does not exist', { cmd: ['true'] }, 'option.invalid'],
    ['a name with a slash', { name: 'a/b' }, 'option.invalid'],
    ['a size in no unit', { memory: '12 parsecs' }, 'option.invalid'],
    ['a NUL in an argument', { command: ['echo', 'a\0b'] }, 'option.invalid'],
    ['an unknown image', { image: 'no/such:image', pull: 'never' }, 'image.not-found'],
    ['an image of a registry that is not there', { image: 'localhost:1/no/such' }, 'registry.unreachable'],
    ['a bad reference', { image: 'UPPER CASE' }, 'image.bad-reference'],
    ['an unknown user', { user: 'nobody-knows' }, 'option.unknown-user'],
    ['a signal that does not exist', { stopSignal: 'SIGNOPE' }, 'option.invalid'],
  ];

  test.each(cases)('%s', async (_title, options, code) => {
    const error = await startContainer({
      image,
      command: ['sleep', '100'],
      ...options,
    } as ContainerOptions).then(
      (container) => container.stop().then(() => undefined),
      (reason: unknown) => reason,
    );
    expect(isMayflyError(error) && error.code).toBe(code);
    expect((error as { hint?: string }).hint).toMatch(/\w/);
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test('a name that is taken, by any process of this home', async () => {
    await using first = await startContainer({ image, name: 'only-one', stopTimeout: 0 });
    const error = await startContainer({ image, name: 'only-one' }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'container.name-taken' });
    expect((error as Error).message).toContain(first.id.slice(0, 12));
    await first.stop();
    await (await startContainer({ image, name: 'only-one', stopTimeout: 0 })).stop();
  });

  test('an unknown preset names those that there are', async () => {
    await expect(startContainer('nosuchthing' as 'postgres')).rejects.toMatchObject({
      code: 'preset.unknown',
      hint: expect.stringContaining('postgres'),
    });
  });

  /** Runs a script against a home of its own and returns the code of the error that it ends with. */
  function codeOf(script: string, env: Record<string, string>, wrap: string[] = []): string {
    const program = `import('mayfly').then(async ({ startContainer, importImage }) => { ${script} }).then(() => console.log('no error'), (e) => console.log(e.code))`;
    const argv = [
      ...wrap,
      process.execPath,
      '--import',
      'tsx',
      '--conditions=mayfly-source',
      '--eval',
      program,
    ];
    const options = {
      env: { PATH: process.env.PATH, ...env },
      cwd: join(import.meta.dirname, '../../..'),
      encoding: 'utf8',
    } as const;
    return execFileSync(argv[0]!, argv.slice(1), options).trim().split('\n').at(-1)!;
  }

  test('without a tool to bootstrap with', () => {
    const home = mkdtempSync(join(tmpdir(), 'mayfly-home-'));
    expect(codeOf(`await startContainer('postgres')`, { MAYFLY_HOME: home, PATH: '/nowhere' })).toBe(
      'recipe.tool-missing',
    );
    rmSync(home, { recursive: true });
  });

  test('a full disk while a layer is made', () => {
    const home = mkdtempSync(join(tmpdir(), 'mayfly-home-'));
    // A small tmpfs in a mount namespace of the child's own.
    const script = `await importImage(process.env.TARBALL, { reference: 'too/large' }).catch(async (e) => {
      const { readdirSync } = await import('node:fs');
      if (readdirSync(process.env.MAYFLY_HOME + '/layers').length > 0) throw new Error('left behind');
      throw e;
    })`;
    const tarball = join(home, 'large.tar');
    execFileSync('tar', ['-C', '/usr/bin', '-cf', tarball, '.']);
    const inside = [
      'unshare',
      '--mount',
      'sh',
      '-c',
      'mkdir $MAYFLY_HOME && mount -t tmpfs -o size=20m none $MAYFLY_HOME && exec "$@"',
      'sh',
    ];
    expect(codeOf(script, { MAYFLY_HOME: join(home, 'small'), TARBALL: tarball }, inside)).toBe(
      'layer.no-space',
    );
    rmSync(home, { recursive: true });
  });
});
