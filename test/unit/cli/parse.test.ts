import { describe, expect, test } from 'vitest';
import { type Command, command } from '../../../src/cli/command.ts';
import { parseCommandLine } from '../../../src/cli/parse.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';

const common = { summary: 'Do something', examples: [] };
const load = async () => ({ run: () => 0 });
/** Handlers that take nothing are for tests alone. */
const line = command as unknown as (line: object) => Command;
const COMMANDS = {
  list: line({
    ...common,
    aliases: ['ls'],
    options: {
      all: { type: 'boolean', short: 'a', help: '' },
      noTrunc: { type: 'boolean', help: '' },
      last: { type: 'integer', short: 'n', value: 'N', default: -1, help: '' },
      filter: { type: 'list', short: 'f', value: 'FILTER', help: '' },
      format: { type: 'string', value: 'FORMAT', help: '' },
      order: { type: 'string', value: 'ORDER', choices: ['up', 'down'], default: 'up', help: '' },
    },
    load,
  }),
  run: line({
    ...common,
    options: { detach: { type: 'boolean', short: 'd', help: '' } },
    arguments: { image: { help: '' }, command: { help: '', optional: true, variadic: true } },
    passThrough: true,
    load,
  }),
  'network ls': line({ ...common, load }),
};
const parse = (...words: string[]) => parseCommandLine(words, COMMANDS);

describe('options', () => {
  test('have their defaults, and are undefined without one', () => {
    expect(parse('list')).toEqual({
      kind: 'run',
      name: 'list',
      options: { all: false, noTrunc: false, last: -1, filter: [], format: undefined, order: 'up' },
      args: {},
    });
  });

  test('are switches, numbers, words and lists', () => {
    const words = [
      '-an',
      '3',
      '--no-trunc',
      '-f',
      'a=1',
      '--filter=b=2',
      '--format',
      '{{.ID}}',
      '--order=down',
    ];
    expect(parse('list', ...words)).toMatchObject({
      options: {
        all: true,
        noTrunc: true,
        last: 3,
        filter: ['a=1', 'b=2'],
        format: '{{.ID}}',
        order: 'down',
      },
    });
  });

  test('belong to the other program after the first argument of a command that runs one', () => {
    expect(parse('run', '-d', 'debian', 'ls', '-d', '--help')).toEqual({
      kind: 'run',
      name: 'run',
      options: { detach: true },
      args: { image: 'debian', command: ['ls', '-d', '--help'] },
    });
  });

  test('are found by a letter among others, with a value at once, and by a name that others begin with', () => {
    expect(parse('list', '-afx', '--format=a')).toMatchObject({
      options: { all: true, filter: ['x'], format: 'a', last: -1, order: 'up' },
    });
  });

  test('may follow arguments elsewhere', () => {
    expect(parse('run', 'debian')).toMatchObject({ args: { image: 'debian', command: [] } });
  });
});

test('an alias stands for its command', () => {
  expect(parse('ls', '-a')).toMatchObject({ name: 'list', options: { all: true } });
});

test('a name may have two words', () => {
  expect(parse('network', 'ls')).toMatchObject({ kind: 'run', name: 'network ls' });
});

test.each([
  [[], undefined],
  [['--help'], undefined],
  [['-h'], undefined],
  [['list', '--help'], 'list'],
  [['ls', '--help'], 'list'],
  [['run', '--help'], 'run'],
  [['network'], 'network'],
  [['network', '--help'], 'network'],
  [['network', 'ls', '--help'], 'network ls'],
] as const)('%j asks for help', (words, name) => {
  expect(parse(...words)).toEqual({ kind: 'help', name });
});

test.each([['--version'], ['-v']])('%s asks for the version', (word) => {
  expect(parse(word)).toEqual({ kind: 'version' });
});

describe('refused:', () => {
  const refusal = (...words: string[]) => {
    try {
      parse(...words);
    } catch (error) {
      if (error instanceof UsageError) return error.message;
      throw error;
    }
    throw new Error('it was not refused');
  };

  test('a command that there is not, with the one that was meant', () => {
    expect(refusal('lst')).toBe(
      "unknown command 'lst'\n  hint: did you mean one of list, ls? see mayfly help",
    );
  });

  test('an option that the command does not have', () => {
    expect(refusal('list', '--formt', 'x')).toBe(
      "unknown option '--formt'\n  hint: did you mean --format? see mayfly list --help",
    );
  });

  test.each([
    ['an option before the command', ['--all', 'list'], /unknown option '--all'/],
    ['a missing argument', ['run'], /missing required argument 'image'/],
    ['an argument too many', ['list', 'x'], /too many arguments/],
    ['a missing value', ['list', '--format'], /argument missing/],
    ['a number that is none', ['list', '-n', 'x'], /whole number/],
    ['a negative number', ['list', '--last=-2'], /whole number/],
    ['a value that is not one of those', ['list', '--order', 'left'], /up, down/],
    ['a second word that there is not', ['network', 'sl'], /unknown command 'sl'/],
  ])('%s', (_, words, message) => {
    expect(refusal(...words)).toMatch(message);
    expect(refusal(...words)).toMatch(/hint: .*see mayfly/);
  });
});
