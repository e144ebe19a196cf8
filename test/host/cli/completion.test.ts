// biome-ignore-all lint/suspicious/noTemplateCurlyInString: parameter expansions of the shells
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/table.ts';
import { mayfly } from '../../fixtures/cli.ts';
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
    });
    afterAll(() => rmSync(directory, { recursive: true }));

    async function complete(...words: string[]): Promise<string[]> {
      const [file, ...args] = COMPLETE[shell];
      // An empty last word of a line is the blank at its end.
      const line = shell === 'fish' ? [['mayfly', ...words].join(' ')] : ['mayfly', ...words];
      const { stdout, stderr } = await execa(file!, [...args, script, ...line], { cwd: directory });
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
    });
  });
}
