import { expect, test } from 'vitest';
import { KeyWatch, parseKeys } from '../../../../src/cli/terminal/detach-keys.ts';

test('keys are written as docker writes them', () => {
  expect([...parseKeys('ctrl-p,ctrl-q')]).toEqual([16, 17]);
  expect([...parseKeys('a,ctrl-[,ctrl-@,ctrl-_')]).toEqual([97, 27, 0, 31]);
  expect([...parseKeys('')]).toEqual([]);
  for (const wrong of ['ctrl-', 'ctrl-pp', 'ab', 'ctrl-p,', 'ctrl-1'])
    expect(() => parseKeys(wrong)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^not a key/) }),
    );
});

/** What is passed on of each chunk; `!` where the sequence was completed. */
function watch(keys: string, ...chunks: string[]): string[] {
  const keyWatch = new KeyWatch(parseKeys(keys));
  return chunks.map((chunk) => {
    const { passed, found } = keyWatch.push(Buffer.from(chunk));
    return String(passed) + (found ? '!' : '');
  });
}

test('a sequence is found within a chunk and across chunks, and is not passed on', () => {
  expect(watch('a,b', 'xab')).toEqual(['x!']);
  expect(watch('a,b', 'xa', 'bx')).toEqual(['x', '!']);
});

test('what only begins like it is passed on, late', () => {
  expect(watch('a,b', 'xa', 'cx')).toEqual(['x', 'acx']);
  expect(watch('a,b', 'aab')).toEqual(['a!']);
  expect(watch('a,b,c', 'ababc')).toEqual(['ab!']);
});

test('no keys are never found', () => {
  expect(watch('', 'abc')).toEqual(['abc']);
});
