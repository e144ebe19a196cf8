import { expect, test } from 'vitest';
import { alignColumns, openOutput } from '../../../src/cli/output.ts';

function paint(isTTY: boolean, env: NodeJS.ProcessEnv): string {
  const stream = { isTTY, write: () => {} };
  return openOutput({ stdout: stream, stderr: stream }, env).colours.red('x');
}

test('colours are for terminals, and for people who have not said no to them', () => {
  expect(paint(true, { TERM: 'xterm' })).toBe('\x1b[31mx\x1b[39m');
  expect(paint(true, { NO_COLOR: '' })).toBe('\x1b[31mx\x1b[39m');
  expect(paint(true, { NO_COLOR: '1' })).toBe('x');
  expect(paint(true, { TERM: 'dumb' })).toBe('x');
  expect(paint(false, {})).toBe('x');
});

test('columns are as wide as their widest cell, with no blanks at the end of a line', () => {
  expect(
    alignColumns([
      ['ID', 'NAME', 'AGE'],
      ['1', 'longer', ''],
      ['22', 'x', '5 s'],
    ]),
  ).toEqual(['ID   NAME     AGE', '1    longer', '22   x        5 s']);
});
