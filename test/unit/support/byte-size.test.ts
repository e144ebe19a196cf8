import { expect, test } from 'vitest';
import { formatByteSize, parseByteSize } from '../../../src/support/byte-size.ts';

test.each([
  [0, 0],
  [4096, 4096],
  ['512', 512],
  ['512b', 512],
  ['64k', 65_536],
  ['64kb', 65_536],
  ['64KiB', 65_536],
  ['512m', 536_870_912],
  ['512M', 536_870_912],
  ['1g', 1_073_741_824],
  ['1.5g', 1_610_612_736],
  ['1.5 g', 1_610_612_736],
  ['2t', 2_199_023_255_552],
  ['0.3k', 307],
])('%j is %d bytes', (size, bytes) => {
  expect(parseByteSize(size)).toBe(bytes);
});

test.each([
  -1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  '9999999t',
  '',
  'm',
  '-1m',
  '1x',
  '5ib',
  '5bb',
  '1,5g',
  '1e3',
  null,
  [],
])('%j is no size', (size) => {
  expect(() => parseByteSize(size as string)).toThrow(expect.objectContaining({ code: 'option.invalid' }));
});

test('the error shows what was given and what may be written', () => {
  expect(() => parseByteSize('a lot')).toThrowErrorMatchingInlineSnapshot(`
    [MayflyError: not a size: 'a lot'
      hint: write bytes, or a size such as '64k', '512m', '1.5g']
  `);
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [150 * 1024, '150 KiB'],
  [6 << 20, '6.0 MiB'],
  [1_610_612_736, '1.5 GiB'],
  [2 ** 50, '1024 TiB'],
])('%d bytes are shown as %j', (bytes, text) => {
  expect(formatByteSize(bytes)).toBe(text);
});
