import { expect, test } from 'vitest';
import { parseIgnore } from '../../../../src/images/dockerfile/ignore.ts';
import { parsePattern } from '../../../../src/images/dockerfile/pattern.ts';

// Of Go's path/filepath/match_test.go, those that are about Unix.
test.for([
  ['abc', 'abc', true],
  ['*', 'abc', true],
  ['*c', 'abc', true],
  ['a*', 'ab/c', false],
  ['a*/b', 'abc/b', true],
  ['a*/b', 'a/c/b', false],
  ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
  ['a*b*c*d*e*/f', 'axbxcxdxexxx/fff', false],
  ['a*b?c*x', 'abxbbxdbxebxczzx', true],
  ['ab[c]', 'abc', true],
  ['ab[b-d]', 'abc', true],
  ['ab[e-g]', 'abc', false],
  ['ab[^c]', 'abc', false],
  ['ab[^e-g]', 'abc', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'ab', false],
  ['a?b', 'a☺b', true],
  ['a[^a]b', 'a☺b', true],
  ['a???b', 'a☺b', false],
  ['[a-ζ]*', 'α', true],
  ['a?b', 'a/b', false],
  ['[\\]a]', ']', true],
  ['[\\-x]', '-', true],
  ['a[', undefined, false],
  ['[]a]', undefined, false],
  ['[x-]', undefined, false],
  ['a\\', undefined, false],
] as const)('pattern %s on %s: %s', ([pattern, path, expected]) => {
  if (path === undefined) expect(() => parsePattern(pattern, { globstar: false })).toThrow('not a pattern');
  else expect(parsePattern(pattern, { globstar: false })(path)).toBe(expected);
});

// Of moby/patternmatcher, patternmatcher_test.go.
test.for([
  ['**', 'dir/file', true],
  ['**/', 'dir/file', true],
  ['**/**', 'dir/file', true],
  ['dir/**', 'dir/dir2/file', true],
  ['dir/**', 'dir', false],
  ['**/dir', 'a/b/dir', true],
  ['**/dir2/*', 'dir/dir2/file', true],
  ['**/dir2/*', 'dir/dir2/dir2/file', true],
  ['**file', 'dir/file', true],
  ['**/file*txt', 'dir/dir/file.txt', true],
  ['a**/*.txt', 'a/file.txt', true],
  ['a/*.txt', 'a/b.txt', true],
  ['a/*.txt', 'a/b/c.txt', false],
  ['a[b-d]e', 'ae', false],
  ['abc.def', 'abcZdef', false],
  ['**/.foo', 'bar.foo', false],
  ['**/foo/bar', 'a/b/foo/bar', true],
  ['./a', 'a', true],
  ['/a/', 'a/b', true],
  ['a\n!a/b', 'a/b', false],
  ['a\n!a/b', 'a/c', true],
  ['!a\na', 'a', true],
  ['*\n!**/*.md\n!x', 'd/README.md', false],
  ['# a\n\n  b  ', 'b', true],
  ['# a', 'a', false],
  ['.', 'a', false],
] as const)('.dockerignore of %j leaves out %s: %s', ([text, path, expected]) => {
  expect(parseIgnore(text)(path)).toBe(expected);
});

test('no pattern takes for ever', () => {
  const begin = performance.now();
  const path = 'a'.repeat(4096);
  for (const pattern of [`${'*a'.repeat(200)}b`, `${'**/*a'.repeat(200)}b`])
    expect(parseIgnore(pattern)(path)).toBe(false);
  // A regular expression would take years.
  expect(performance.now() - begin).toBeLessThan(10_000);
});
