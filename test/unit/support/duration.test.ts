import { expect, test } from 'vitest';
import { parseDuration } from '../../../src/support/duration.ts';

test.each([
  [0, 0],
  [1500, 1500],
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5s', 1500],
  ['2m', 120_000],
  ['1h', 3_600_000],
  [' 30s ', 30_000],
  ['596h', 2_145_600_000],
])('%j is %d milliseconds', (duration, milliseconds) => {
  expect(parseDuration(duration)).toBe(milliseconds);
});

test.each([
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 31,
  '597h',
  '',
  '30',
  's',
  '-5s',
  '30 s',
  '1e3ms',
  '1d',
  '30S',
  null,
  {},
])('%j is no duration', (duration) => {
  expect(() => parseDuration(duration as string)).toThrow(
    expect.objectContaining({ code: 'option.invalid' }),
  );
});

test('the error shows what was given and what may be written', () => {
  expect(() => parseDuration('soon')).toThrowErrorMatchingInlineSnapshot(`
    [MayflyError: not a duration: 'soon'
      hint: write milliseconds, or a time such as '500ms', '30s', '2m', '1h'; at most 24 days]
  `);
});
