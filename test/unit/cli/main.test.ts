import { expect, test } from 'vitest';
import type { Command } from '../../../src/cli/command.ts';
import { main } from '../../../src/cli/main.ts';
import { MayflyError } from '../../../src/support/error.ts';

function failing(error: unknown, extra: Partial<Command> = {}): Command {
  const run = async () => {
    throw error;
  };
  const nothing = { aliases: [], options: {}, arguments: {}, passThrough: false, examples: [] };
  return { ...nothing, summary: 'Fail', failure: 1, load: async () => ({ run }), ...extra };
}

async function outcome(fail: Command, ...words: string[]) {
  let [stdout, stderr] = ['', ''];
  const exitCode = await main(['fail', ...words], {
    commands: { fail },
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env: {},
  });
  return { exitCode, stdout, stderr };
}

test('a failure is printed once, with its hint', async () => {
  const error = new MayflyError('option.invalid', 'it is wrong', {
    hint: 'put it right',
    cause: new Error('inner'),
  });
  expect(await outcome(failing(error))).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: 'mayfly: it is wrong\n  hint: put it right\n',
  });
});

test('a failed start is 125, as in docker', async () => {
  expect(await outcome(failing(new Error('no'), { failure: 125 }))).toMatchObject({ exitCode: 125 });
});

test('a command that a container does not have is 127', async () => {
  const error = Object.assign(new Error('command not found: x'), { exitCode: 127 });
  expect(await outcome(failing(error, { failure: 125 }))).toMatchObject({ exitCode: 127 });
});

test('a command line that means nothing is 125', async () => {
  expect(await outcome(failing(new Error('never')), '--what')).toEqual({
    exitCode: 125,
    stdout: '',
    stderr: "mayfly: unknown option '--what'\n  hint: see mayfly fail --help\n",
  });
});
