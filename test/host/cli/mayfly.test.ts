import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { BUILT, FROM_SOURCE, mayfly } from '../../fixtures/cli.ts';
import { requires } from '../../requires.ts';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as {
  version: string;
};

function suite(program: readonly string[]): void {
  test.each(['version', '--version', '-v'])('%s says which version it is', async (word) => {
    const result = await mayfly([word], { program });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout.split('\n')[0]).toBe(`mayfly ${version}`);
  });

  test('without words it says what there is', async () => {
    const result = await mayfly([], { program });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toContain('COMMANDS');
    expect(await mayfly(['help'], { program })).toEqual(result);
  });

  test('a wrong command line is refused with 125, on stderr, once', async () => {
    expect(await mayfly(['version', '--wrong'], { program })).toEqual({
      exitCode: 125,
      stdout: '',
      stderr: "mayfly: unknown option '--wrong'\n  hint: see mayfly version --help",
    });
  });

  test('with NODE_DEBUG a failure shows where it comes from', async () => {
    const { stderr } = await mayfly(['nothing'], { program, env: { NODE_DEBUG: 'mayfly-cli' } });
    expect(stderr).toMatch(/MAYFLY-CLI .*UsageError: unknown command 'nothing'\n(.*\n)* {4}at /);
  });

  test('a reader that goes away is no failure', async () => {
    const { exitCode, stderr } = await execa('bash', [
      '-c',
      `exec 3>&1; { "$@"; echo "$?" >&3; } | true`,
      'bash',
      ...program,
      'help',
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('a process ends with its command, whatever else could go on', async () => {
    const NODE_OPTIONS = '--import data:text/javascript,setInterval(()=>{},1e6)';
    const [file, ...args] = [...program, 'version'];
    const { stdout } = await execa(file!, args, { env: { NODE_OPTIONS }, timeout: 20_000 });
    expect(stdout).toContain(version);
  });

  test('but not before a slow reader has taken all that it wrote', async () => {
    const { stdout: help } = await mayfly(['help'], { program });
    // 64 KiB are what a pipe holds; the reader begins when the command has had the time to end.
    const script = '{ head -c 65536 /dev/zero; "$@"; } | { sleep 2; tail -c +65537; }';
    const { stdout } = await execa('bash', ['-c', script, 'bash', ...program, 'help']);
    expect(stdout).toBe(help);
  });
}

requires()('mayfly from source', () => suite(FROM_SOURCE));
requires('build')('mayfly as it is published', () => suite(BUILT));
