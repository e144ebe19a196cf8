import { expect, test } from 'vitest';
import { configArguments } from '../../../presets/redis/config.ts';

test('every setting is one argument with its values in quotes', () => {
  expect(
    configArguments({
      maxmemory: '64mb',
      databases: 3,
      appendonly: true,
      save: [3600, 1, 300, 100],
      dbfilename: '',
    }),
  ).toEqual([
    '--maxmemory "64mb"',
    '--databases "3"',
    '--appendonly "yes"',
    '--save "3600" "1" "300" "100"',
    '--dbfilename ""',
  ]);
});

test('a value may hold anything', () => {
  expect(configArguments({ masterauth: '--a "b"\\c\nd\0ü' })).toEqual([
    '--masterauth "--a \\x22b\\x22\\x5cc\\x0ad\\x00\\xc3\\xbc"',
  ]);
});

test.each([
  [{ requirepass: 'x' }, 'config.requirepass cannot be set'],
  [{ PORT: 1 }, 'config.PORT cannot be set'],
  [{ 'a b': 1 }, '"a b" is no setting'],
  [{ save: [] }, 'config.save is neither'],
  [{ save: null as never }, 'config.save is neither'],
])('%j is refused', (config, message) => {
  expect(() => configArguments(config)).toThrow(
    expect.objectContaining({ code: 'option.invalid', message: expect.stringContaining(message) }),
  );
});
