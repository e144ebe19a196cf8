// biome-ignore-all lint/suspicious/noTemplateCurlyInString: parameter expansions of the shells
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/table.ts';
import { FROM_SOURCE, mayfly } from '../../fixtures/cli.ts';
import { requires } from '../../requires.ts';

type Shell = 'bash' | 'zsh' | 'fish';

/** Has the shell itself complete a line; `$1` is the script, the words follow, of which the last is incomplete. */
const COMPLETE: Record<Shell, string[]> = {
  bash: [
    'bash',
    '--norc',
    '-c',
    'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mayfly; printf "%s\\n" "${COMPREPLY[@]}"',
    'bash',
  ],
  // What zsh would show is compadd's business; the arguments that it is called with are ours.
  zsh: [
    'zsh',
    '-f',
    '-c',
    'compdef() { :; }; source "$1"; shift; words=("$@"); CURRENT=$#; prefix=${words[-1]};' +
      ' compadd() { shift; print -l -- ${(M)@:#$prefix*}; }; _files() { :; }; _mayfly',
    'zsh',
  ],
  fish: ['fish', '--no-config', '-c', 'source $argv[1]; complete -C "$argv[2..]"', '--'],
};

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  requires(shell)(`completion in ${shell}`, () => {
    let directory: string;
    let script: string;
    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'mayfly-completion-'));
      script = join(directory, 'mayfly');
      const { exitCode, stdout } = await mayfly(['completion', shell]);
      expect(exitCode).toBe(0);
      writeFileSync(script, stdout);
      // The scripts ask mayfly for names.
      mkdirSync(join(directory, 'bin'));
      const quoted = FROM_SOURCE.map((word) => `'${word}'`).join(' ');
      writeFileSync(join(directory, 'bin/mayfly'), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
    });
    afterAll(() => rmSync(directory, { recursive: true }));

    async function complete(...words: string[]): Promise<string[]> {
      const [file, ...args] = COMPLETE[shell];
      // An empty last word of a line is the blank at its end.
      const line = shell === 'fish' ? [['mayfly', ...words].join(' ')] : ['mayfly', ...words];
      const env = {
        PATH: `${join(directory, 'bin')}:${process.env.PATH}`,
        MAYFLY_HOME: join(directory, 'home'),
      };
      const { stdout, stderr } = await execa(file!, [...args, script, ...line], { cwd: directory, env });
      expect(stderr).toBe('');
      return stdout
        .split('\n')
        .map((text) => text.split('\t')[0]!)
        .filter(Boolean);
    }

    test('offers the commands', async () => {
      expect((await complete('')).sort()).toEqual(
        [...new Set(Object.keys(COMMANDS).map((name) => name.split(' ')[0]!))].sort(),
      );
      expect(await complete('versi')).toEqual(['version']);
    });

    test('offers what an argument may be', async () => {
      expect((await complete('completion', '')).sort()).toEqual(['bash', 'fish', 'zsh']);
      expect(await complete('help', 'versi')).toEqual(['version']);
    });

    test('offers options', async () => {
      expect(await complete('version', '--he')).toEqual(['--help']);
      expect(await complete('login', '--password-')).toEqual(['--password-stdin']);
      expect(await complete('timeline', '--tr')).toEqual(['--trace']);
      expect(await complete('network', 'ls', '--no-')).toEqual(['--no-trunc']);
      // fish gives what an option may be as the value of a word, others by itself.
      const formats = (await complete('timeline', '--format', '')).map((word) => word.replace(/^.*=/, ''));
      expect(formats.sort()).toEqual(['json', 'table']);
    });

    test('offers the second word of a group, and nothing of it elsewhere', async () => {
      const all = Object.keys(COMMANDS).filter((name) => name.startsWith('network '));
      expect((await complete('network', '')).sort()).toEqual(all.map((name) => name.split(' ')[1]!).sort());
      expect(await complete('network', 'ins')).toEqual(['inspect']);
    });

    test('asks mayfly for the names of networks', async () => {
      expect((await complete('network', 'inspect', '')).sort()).toEqual(['default', 'host', 'none']);
    });
  });
}
