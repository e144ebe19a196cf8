import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspectImage } from '../../../src/index.ts';
import { FROM_SOURCE, mayfly as runCli } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

const IMAGE = 'test/debian:bookworm';
const env = { MAYFLY_HOME: TEST_HOME };
const mayfly = (...words: string[]) => runCli(words, { env });

async function ok(...words: string[]): Promise<string> {
  const { stdout, ...result } = await mayfly(...words);
  expect(result, words.join(' ')).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
}

requires('root', 'mmdebstrap')("a container's files on the command line", () => {
  let scratch: string;
  beforeAll(async () => {
    await debian();
    scratch = mkdtempSync(join(tmpdir(), 'mayfly-cli-files-'));
    await ok('run', '-d', '--name', 'files', IMAGE, 'sleep', 'infinity');
  });
  afterAll(async () => {
    await ok('rm', '-f', 'files');
    rmSync(scratch, { recursive: true });
  });
  const inside = (script: string) => ok('exec', 'files', 'sh', '-c', script);
  const at = (name: string) => join(scratch, name);

  test('cp in: into a directory, as a path, the content of a directory, a tar from stdin, owners', async () => {
    mkdirSync(at('d/sub'), { recursive: true });
    writeFileSync(at('d/sub/f'), 'sub');
    writeFileSync(at('f'), 'content');
    await inside('mkdir /in');
    await ok('cp', at('f'), 'files:/in');
    await ok('cp', at('f'), 'files:in/renamed');
    await ok('cp', at('d'), 'files:/in');
    await ok('cp', at('d'), 'files:/in/new');
    await ok('cp', `${at('d')}/.`, 'files:/in/');
    expect(await inside('cd /in; find . -type f | sort; cat renamed; stat -c %u:%g f')).toBe(
      './d/sub/f\n./f\n./new/sub/f\n./renamed\n./sub/f\ncontent0:0',
    );
    const [program, ...args] = [...FROM_SOURCE, 'cp', '-a', '-', 'files:/in/new'];
    await execa('tar', ['-cf', 'owned.tar', '--owner=5', '--group=6', 'f'], { cwd: scratch });
    await execa(program!, args, { env, inputFile: at('owned.tar') });
    expect(await inside('stat -c %u:%g /in/new/f')).toBe('5:6');
    symlinkSync('f', at('link'));
    await ok('cp', '-L', at('link'), 'files:/in/of-link');
    expect(await inside('cat /in/of-link')).toBe('content');
  });

  test('cp out: as a path, into a directory, the content of a directory, a tar to stdout', async () => {
    await inside('mkdir -p /out/sub && echo x > /out/sub/x && ln -s sub/x /out/link');
    await ok('cp', 'files:/out', at('fresh'));
    expect(readFileSync(at('fresh/sub/x'), 'utf8')).toBe('x\n');
    expect(lstatSync(at('fresh/link')).isSymbolicLink()).toBe(true);
    await ok('cp', '-L', 'files:/out/link', at('followed'));
    expect(readFileSync(at('followed'), 'utf8')).toBe('x\n');
    mkdirSync(at('there'));
    await ok('cp', 'files:/out', at('there'));
    await ok('cp', 'files:/out/sub/.', at('there'));
    expect(readFileSync(at('there/x'), 'utf8')).toBe(readFileSync(at('there/out/sub/x'), 'utf8'));
    const [program, ...args] = [...FROM_SOURCE, 'cp', 'files:/out/sub', '-'];
    const tar = execa(program!, args, { env, buffer: false });
    expect((await execa('tar', ['-t'], { input: tar.stdout })).stdout).toBe('sub/\nsub/x');
  });

  test('cp refuses what docker refuses', async () => {
    for (const [source, target, code] of [
      ['files:/etc', 'files:/x', 125],
      [at('f'), at('g'), 125],
      [at('f'), 'files:/nowhere/deep/f', 125],
      [at('f'), 'files:/nowhere/', 125],
      [at('none'), 'files:/tmp/', 1],
      ['files:/none', at('x'), 1],
      ['files:/etc/hostname', at('none/deep/x'), 1],
      ['none:/etc', at('x'), 1],
    ] as const)
      expect((await mayfly('cp', source, target)).exitCode, `${source} ${target}`).toBe(code);
  });

  test('diff says what was added, changed and deleted', async () => {
    await ok('run', '-d', '--name', 'differs', IMAGE, 'sleep', 'infinity');
    await ok(
      'exec',
      'differs',
      'sh',
      '-c',
      'echo > /added; echo >> /etc/debian_version; rm /etc/issue; mkdir /opt/d',
    );
    const lines = (await ok('diff', 'differs')).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'A /added',
        'C /etc',
        'C /etc/debian_version',
        'D /etc/issue',
        'C /opt',
        'A /opt/d',
      ]),
    );
    expect(lines.filter((line) => /proc|sys|hosts|resolv/.test(line))).toEqual([]);
    await ok('rm', '-f', 'differs');
  });

  test('commit and export: changes, author, message, and a tar of the whole', async () => {
    await inside('echo kept > /kept');
    const options = ['-a', 'ada', '-m', 'why', '-c', 'CMD ["cat", "/kept"]', '--change', 'ENV A=1'];
    const id = await ok('commit', ...options, 'files', 'test/committed:1');
    const image = await inspectImage('test/committed:1');
    expect(image).toMatchObject({ id, author: 'ada', config: { Cmd: ['cat', '/kept'], Env: ['A=1'] } });
    expect(image.history.at(-1)).toMatchObject({ comment: 'why', author: 'ada' });
    expect(await ok('run', '--rm', 'test/committed:1')).toBe('kept');
    expect(await ok('commit', '--no-pause', 'files')).toMatch(/^sha256:/);
    expect((await mayfly('commit', '-c', 'RUN true', 'files')).exitCode).toBe(1);
    await ok('export', '-o', at('export.tar'), 'files');
    expect((await execa('tar', ['-xOf', at('export.tar'), 'kept'])).stdout).toBe('kept');
    await ok('rmi', 'test/committed:1');
  });

  test('prune takes what has ended and has no name; df counts', async () => {
    await ok('run', '--name', 'ended', IMAGE, 'true');
    expect((await mayfly('container', 'prune')).exitCode).toBe(125);
    const pruned = await ok('container', 'prune', '-f');
    expect(pruned).toMatch(/^Deleted Containers:\n[0-9a-f]{64}\n/);
    expect(await ok('ps', '-a', '--format', '{{.Names}}')).toBe('files');
    const id = await ok('commit', 'files');
    expect(await ok('system', 'df')).toMatch(
      /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages .*\nLayers .*\nBlobs .*\nContainers +1 +1/,
    );
    expect(await ok('image', 'prune', '-f')).toMatch(/Total reclaimed space: [\d.]+ ?\w+/);
    expect((await mayfly('inspect', id)).exitCode).not.toBe(0);
    expect(await ok('system', 'prune', '--force')).toContain('Total reclaimed space: ');
  });
});
