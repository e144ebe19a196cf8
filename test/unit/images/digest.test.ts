import { expect, test } from 'vitest';
import { digestOf, isDigest, matchesDigest, parseDigest } from '../../../src/images/digest.ts';

test('content has the digest that sha256sum and sha512sum print', () => {
  const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  expect(digestOf('')).toBe(empty);
  expect(matchesDigest(empty, Buffer.alloc(0))).toBe(true);
  expect(matchesDigest(empty, Buffer.from('x'))).toBe(false);
  const abc =
    'sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f';
  expect(matchesDigest(abc, Buffer.from('abc'))).toBe(true);
});

test.each([
  '../../../etc/passwd',
  `sha256:../../${'a'.repeat(58)}`,
  `sha256:${'a'.repeat(63)}`,
  `sha256:${'a'.repeat(65)}`,
  `sha256:${'A'.repeat(64)}`,
  `__proto__:${'a'.repeat(64)}`,
  `constructor:${'a'.repeat(64)}`,
  `md5:${'a'.repeat(32)}`,
  `sha256:${'a'.repeat(64)}:x`,
  `sha256:${'a'.repeat(64)}\n`,
  '',
])('%j is no digest', (text) => {
  expect(isDigest(text)).toBe(false);
  expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'image.bad-digest' }));
});
