import { expect, test } from 'vitest';
import { entryPath } from '../../../../src/files/unpack/entry-path.ts';
import { whiteoutOf } from '../../../../src/files/unpack/whiteout.ts';

test.each([
  ['etc/passwd', './etc/passwd'],
  ['./etc//passwd', './etc/passwd'],
  ['/etc/passwd', './etc/passwd'],
  ['./', '.'],
  ['a/./b/', './a/b'],
  ['..a/b..', './..a/b..'],
])('%j is %j below the directory', (name, path) => {
  expect(entryPath(name)).toBe(path);
});

test.each(['..', '../x', 'a/../b', '/..', 'a/..', 'x'.repeat(256), 'x/'.repeat(2100)])(
  '%j is refused',
  (name) => {
    expect(() => entryPath(name)).toThrow(expect.objectContaining({ code: 'file.refused' }));
  },
);

test('whiteouts hide a name or a directory', () => {
  expect(whiteoutOf('./a/.wh.b')).toEqual({ hides: 'name', path: './a/b' });
  expect(whiteoutOf('./a/.wh..wh..opq')).toEqual({ hides: 'directory', path: './a' });
  expect(whiteoutOf('./.wh..wh..opq')).toEqual({ hides: 'directory', path: '.' });
  expect(whiteoutOf('./a/wh.b')).toBeUndefined();
});

test.each(['./.wh.', './.wh..', './.wh...', './.wh..wh.x'])(
  '%j is no whiteout that could be meant well',
  (path) => {
    expect(() => whiteoutOf(path)).toThrow(expect.objectContaining({ code: 'file.refused' }));
  },
);
