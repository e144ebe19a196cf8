import { expect, test } from 'vitest';
import {
  familiarReference,
  formatReference,
  parseReference,
} from '../../../../src/images/reference/parse.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const LONG_DIGEST = `sha512:${'b'.repeat(128)}`;

test.each([
  ['postgres', 'docker.io/library/postgres:latest'],
  ['postgres:17', 'docker.io/library/postgres:17'],
  ['docker.io/postgres:17', 'docker.io/library/postgres:17'],
  ['index.docker.io/postgres', 'docker.io/library/postgres:latest'],
  ['me/app', 'docker.io/me/app:latest'],
  ['ghcr.io/me/app:1.0', 'ghcr.io/me/app:1.0'],
  ['ghcr.io/app', 'ghcr.io/app:latest'],
  ['localhost/app', 'localhost/app:latest'],
  ['Localhost/app', 'Localhost/app:latest'],
  ['localhost:5000/a/b/c:x', 'localhost:5000/a/b/c:x'],
  ['127.0.0.1:5000/app', '127.0.0.1:5000/app:latest'],
  ['[::1]:5000/app:1', '[::1]:5000/app:1'],
  ['xn--n3h.com/app', 'xn--n3h.com/app:latest'],
  ['a_b/c__d/e.f/g---h', 'docker.io/a_b/c__d/e.f/g---h:latest'],
  ['a:b', 'docker.io/library/a:b'],
  ['app:_x.Y-1', 'docker.io/library/app:_x.Y-1'],
  [`app@${DIGEST}`, `docker.io/library/app@${DIGEST}`],
  [`app@${LONG_DIGEST}`, `docker.io/library/app@${LONG_DIGEST}`],
  [`app:1@${DIGEST}`, `docker.io/library/app:1@${DIGEST}`],
  [`localhost:5000/app:1@${DIGEST}`, `localhost:5000/app:1@${DIGEST}`],
  [`app:${'t'.repeat(128)}`, `docker.io/library/app:${'t'.repeat(128)}`],
])('%s is %s', (text, full) => {
  expect(formatReference(parseReference(text))).toBe(full);
  expect(formatReference(parseReference(full))).toBe(full);
});

test.each([
  '',
  'UPPER',
  'a b',
  'a:',
  ':tag',
  'a@',
  'a@sha256:short',
  `a@SHA256:${'a'.repeat(64)}`,
  `a@sha256:${'A'.repeat(64)}`,
  `a@md5:${'a'.repeat(32)}`,
  `a@sha256:../../${'a'.repeat(58)}`,
  'a//b',
  'a/',
  '/a',
  'a@b@c',
  `a@${DIGEST}@${DIGEST}`,
  '../etc',
  'a/../b',
  'a___b',
  'a..b',
  '-a/b',
  'host.com:99999/a',
  'host.com:/a',
  'host..com/a',
  '-host.com/a',
  'https://host.com/a',
  'user@host.com/a',
  '[::g]:5000/a',
  '[1:2:3]/a',
  'a\n',
  'a:b\n',
  'a'.repeat(256),
  `host.com/${'a'.repeat(247)}`,
  'f'.repeat(64),
  'a:-x',
  `a:${'t'.repeat(129)}`,
])('%j is refused', (text) => {
  expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'image.bad-reference' }));
});

test('the longest name is 255 characters with its registry', () => {
  expect(parseReference(`host.com/${'a'.repeat(246)}`).repository).toHaveLength(246);
});

test.each([
  ['docker.io/library/postgres:17', 'postgres:17'],
  ['docker.io/me/app:1', 'me/app:1'],
  ['docker.io/library/a/b:1', 'library/a/b:1'],
  ['ghcr.io/me/app:1', 'ghcr.io/me/app:1'],
])('people call %s %s', (full, familiar) => {
  expect(familiarReference(parseReference(full))).toBe(familiar);
  expect(formatReference(parseReference(familiar))).toBe(full);
});
