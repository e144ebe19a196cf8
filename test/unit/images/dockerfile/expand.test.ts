// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the shell has them too
import { expect, test } from 'vitest';
import {
  expandText,
  expandWord,
  MissingVariable,
  SyntaxFault,
} from '../../../../src/images/dockerfile/expand.ts';

const variables: Record<string, string> = { A: 'one', EMPTY: '', P: 'foo/bar/baz.tar.gz' };
const scope = { lookup: (name: string) => variables[name], escape: '\\' };

test.for([
  ['$A', 'one'],
  ['x${A}y', 'xoney'],
  ['$NONE.', '.'],
  ['\\$A', '$A'],
  ["'$A'", '$A'],
  ['"$A  b"', 'one  b'],
  ['"a\\"b\\n"', 'a"b\\n'],
  ['a\\ b', 'a b'],
  ['$', '$'],
  ['$$A', '$one'],
  ['${NONE:-def}', 'def'],
  ['${NONE:-$A}', 'one'],
  ['${EMPTY:-def}', 'def'],
  ['${EMPTY-def}', ''],
  ['${A:+set}', 'set'],
  ['${EMPTY:+set}', ''],
  ['${EMPTY+set}', 'set'],
  ['${A:?no}', 'one'],
  ['${P#*/}', 'bar/baz.tar.gz'],
  ['${P##*/}', 'baz.tar.gz'],
  ['${P%.*}', 'foo/bar/baz.tar'],
  ['${P%%.*}', 'foo/bar/baz'],
  ['${P/ba/X}', 'foo/Xr/baz.tar.gz'],
  ['${P//ba/X}', 'foo/Xr/Xz.tar.gz'],
])('%s becomes %s', ([text, expanded]) => {
  expect(expandWord(text!, scope)).toBe(expanded);
});

test('text keeps its quotes, and only a dollar sign can be escaped in it', () => {
  expect(expandText(`"$A" '$A' \\$A \\n`, scope)).toBe(`"one" 'one' $A \\n`);
});

test('a backtick escapes where the Dockerfile says so', () => {
  expect(expandWord('`$A C:\\x', { ...scope, escape: '`' })).toBe('$A C:\\x');
});

test('what has to be set says so', () => {
  expect(() => expandWord('${NONE:?give it}', scope)).toThrow(new MissingVariable('NONE: give it'));
});

test.for(['"a', "'a", '${A', '${A:-b', '${A!x}'])('%s is refused', (text) => {
  expect(() => expandWord(text, scope)).toThrow(SyntaxFault);
});
