import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCredentials } from '../../../../../src/images/registry/auth/credentials.ts';

let directory: string;
const path = process.env.PATH;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mayfly-credentials-'));
  mkdirSync(join(directory, 'bin'));
  process.env.PATH = `${join(directory, 'bin')}:${path}`;
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(directory, { recursive: true });
});

const encoded = (text: string) => Buffer.from(text).toString('base64');
const write = (config: unknown) => writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
const find = (host: string, env: NodeJS.ProcessEnv = {}) =>
  openCredentials({ DOCKER_CONFIG: directory, ...env }).for(host);

/** A real helper: a program that prints, per server on its stdin. */
function helper(name: string, script: string): void {
  const program = join(directory, 'bin', `docker-credential-${name}`);
  writeFileSync(program, `#!/bin/sh\n[ "$1" = get ] || exit 9\nread -r server\n${script}\n`);
  chmodSync(program, 0o755);
}

test('no file, no credentials', async () => {
  expect(await find('docker.io')).toBeUndefined();
});

test.each<[string, object, string, unknown]>([
  ['a password', { auth: encoded('me:se:cret') }, 'r.example', { username: 'me', password: 'se:cret' }],
  ['a password in plain', { username: 'me', password: 'x' }, 'r.example', { username: 'me', password: 'x' }],
  [
    'an identity token',
    { auth: encoded('me:'), identitytoken: 'abc' },
    'r.example',
    { identityToken: 'abc' },
  ],
  ['a registry token', { registrytoken: 'abc' }, 'r.example', { registryToken: 'abc' }],
  ['an empty entry', {}, 'r.example', undefined],
])('auths holds %s', async (_title, entry, host, expected) => {
  write({ auths: { [host]: entry } });
  expect(await find(host)).toEqual(expected);
});

test.each([
  ['https://index.docker.io/v1/', 'docker.io'],
  ['docker.io', 'docker.io'],
  ['https://r.example:5000/v1/', 'r.example:5000'],
  ['r.example:5000', 'r.example:5000'],
])('the key %s is for %s', async (key, host) => {
  write({ auths: { [key]: { auth: encoded('me:x') } } });
  expect(await find(host)).toEqual({ username: 'me', password: 'x' });
  expect(await find('other.example')).toBeUndefined();
  expect(await find('r.example')).toBeUndefined();
});

test('DOCKER_AUTH_CONFIG counts alone', async () => {
  write({ auths: { 'a.example': { auth: encoded('file:x') } } });
  const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { 'b.example': { auth: encoded('env:x') } } }) };
  expect(await find('b.example', env)).toEqual({ username: 'env', password: 'x' });
  expect(await find('a.example', env)).toBeUndefined();
});

test('a registry’s own helper comes before the store of all, and that before the file', async () => {
  helper('one', `echo '{"ServerURL":"x","Username":"one","Secret":"'"$server"'"}'`);
  helper(
    'all',
    `[ "$server" = b.example ] && echo '{"Username":"<token>","Secret":"t"}' || { echo 'credentials not found in native keychain'; exit 1; }`,
  );
  write({
    credHelpers: { 'a.example': 'one' },
    credsStore: 'all',
    auths: { 'a.example': { auth: encoded('file:x') }, 'c.example': { auth: encoded('file:x') } },
  });
  expect(await find('a.example')).toEqual({ username: 'one', password: 'a.example' });
  expect(await find('b.example')).toEqual({ identityToken: 't' });
  expect(await find('c.example')).toEqual({ username: 'file', password: 'x' });
});

test.each([
  ['fails', 'echo locked >&2; exit 1', 'locked'],
  ['prints nonsense', 'echo secret-nonsense', 'did not print a credential'],
])('a helper that %s is an error that tells no secret', async (_title, script, message) => {
  helper('broken', script);
  write({ credsStore: 'broken' });
  const error = (await find('a.example').catch((reason: unknown) => reason)) as Error;
  expect(error).toMatchObject({
    code: 'registry.credential-helper-failed',
    message: expect.stringContaining(message),
  });
  expect(`${error.stack} ${error.cause}`).not.toContain('secret');
});

test.each(['missing', '../evil', ''])('the helper %j cannot be run', async (name) => {
  write({ credHelpers: { 'a.example': name || ' ' } });
  await expect(find('a.example')).rejects.toMatchObject({ code: 'registry.credential-helper-failed' });
});

test('a broken file is an error without its content', () => {
  writeFileSync(join(directory, 'config.json'), '{"auths": {"a": "hunter2"');
  const error = (() => {
    try {
      openCredentials({ DOCKER_CONFIG: directory }).for('a.example');
    } catch (thrown) {
      return thrown as Error;
    }
  })();
  expect(error).toMatchObject({ code: 'registry.bad-config' });
  expect(`${error!.stack} ${error!.cause}`).not.toContain('hunter2');
});
