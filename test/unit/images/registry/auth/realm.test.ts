import { expect, test } from 'vitest';
import { checkRealm } from '../../../../../src/images/registry/auth/realm.ts';

const check = (registry: string, realm: string, { password = true, allowed = [] as string[] } = {}) =>
  checkRealm(realm, { registry: new URL(registry), hasCredentials: password, allowed }).href;

test.each([
  ['https://registry-1.docker.io', 'https://auth.docker.io/token'],
  ['https://ghcr.io', 'https://ghcr.io/token'],
  ['https://registry.gitlab.com', 'https://gitlab.com/jwt/auth'],
  ['https://example.org:5000', 'https://auth.example.org/token'],
  ['http://127.0.0.1:5000', 'http://127.0.0.1:6000/token'],
  ['http://localhost:5000', 'http://127.0.0.1:6000/token'],
  ['https://10.0.0.5:5000', 'https://10.0.0.5/token'],
])('%s may name %s', (registry, realm) => {
  expect(check(registry, realm)).toBe(realm);
});

test.each([
  ['https://registry.example.org', 'http://registry.example.org/token', 'does not'],
  ['https://registry.example.org', 'https://evil.example.com/token', 'another domain'],
  ['https://example.org', 'https://evilexample.org/token', 'another domain'],
  ['https://registry.com', 'https://evil.com/token', 'another domain'],
  ['https://registry.example.org', 'http://169.254.169.254/latest', 'does not'],
  ['http://registry.example.org', 'http://169.254.169.254/latest', 'private network'],
  ['https://registry.example.org', 'https://127.0.0.1/token', 'private network'],
  ['https://registry.example.org', 'https://10.1.2.3/token', 'private network'],
  ['https://registry.example.org', 'https://[::1]/token', 'private network'],
  ['https://registry.example.org', 'https://localhost/token', 'private network'],
  ['https://registry.example.org', 'file:///etc/passwd', 'no web address'],
  ['https://registry.example.org', '', 'no URL'],
])('%s may not name %s', (registry, realm, why) => {
  expect(() => check(registry, realm)).toThrow(
    expect.objectContaining({ code: 'registry.bad-realm', message: expect.stringContaining(why) }),
  );
});

test('a stranger may be asked when there is no password to lose, and when the user says so', () => {
  const asked = ['https://registry.example.org', 'https://tokens.example.com/'] as const;
  expect(check(...asked, { password: false })).toBe(asked[1]);
  expect(check(...asked, { allowed: ['tokens.example.com'] })).toBe(asked[1]);
});
