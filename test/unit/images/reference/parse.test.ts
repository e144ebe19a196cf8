import { expect, test } from 'vitest';
import { formatReference, parseReference } from '../../../../src/images/reference/parse.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test.each([
  ['postgres', 'docker.io/library/postgres:latest'],
  ['postgres:17', 'docker.io/library/postgres:17'],
  ['me/app', 'docker.io/me/app:latest'],
  ['ghcr.io/me/app:1.0', 'ghcr.io/me/app:1.0'],
  ['localhost/app', 'localhost/app:latest'],
  ['localhost:5000/a/b/c:x', 'localhost:5000/a/b/c:x'],
  [`app@${DIGEST}`, `docker.io/library/app@${DIGEST}`],
  [`app:1@${DIGEST}`, `docker.io/library/app:1@${DIGEST}`],
])('%s is %s', (text, full) => {
  expect(formatReference(parseReference(text))).toBe(full);
});

test.each([
  '',
  'UPPER',
  'a b',
  'a:',
  ':tag',
  'a@sha256:short',
  'a//b',
  'a@b@c',
  '../etc',
  `${'a'.repeat(256)}`,
  'a:-x',
])('%j is refused', (text) => {
  expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'image.bad-reference' }));
});
