import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { FROM_SOURCE } from '../../fixtures/cli.ts';
import { type RealRegistry, startDockerRegistry } from '../../fixtures/registry/docker-registry.ts';
import { startTokenServer } from '../../fixtures/registry/token-server.ts';
import { requires } from '../../requires.ts';

const SECRET = 'se:cret and "quotes"';

requires('docker-registry', 'htpasswd')('login and logout', () => {
  let registry: RealRegistry;
  let directory: string;
  const config = () => join(directory, 'docker/config.json');
  const read = () => JSON.parse(readFileSync(config(), 'utf8')) as Record<string, unknown>;
  const write = (content: object) => {
    mkdirSync(join(directory, 'docker'), { recursive: true });
    writeFileSync(config(), JSON.stringify(content), { mode: 0o644 });
  };

  beforeAll(async () => {
    const { stdout } = await execa('htpasswd', ['-Bbn', 'me', SECRET]);
    registry = await startDockerRegistry({ kind: 'htpasswd', users: `${stdout}\n` });
  });
  afterAll(() => registry?.[Symbol.asyncDispose]());
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'mayfly-login-'));
    mkdirSync(join(directory, 'bin'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  async function mayfly(words: readonly string[], input = '') {
    const [file, ...args] = [...FROM_SOURCE, ...words];
    const env = {
      DOCKER_CONFIG: join(directory, 'docker'),
      MAYFLY_HOME: join(directory, 'home'),
      PATH: `${join(directory, 'bin')}:${process.env.PATH}`,
    };
    const result = await execa(file!, args, { env, input, reject: false, timeout: 60_000 });
    const { exitCode, stdout, stderr } = result;
    for (const said of [stdout, stderr]) expect(said).not.toContain('cret');
    return { exitCode, stdout, stderr };
  }

  /** A helper that keeps what it is given in files, as the real ones keep it in a keyring. */
  function helper(name: string): void {
    const program = join(directory, 'bin', `docker-credential-${name}`);
    const kept = join(directory, `${name}.json`);
    writeFileSync(
      program,
      `#!/bin/sh
case $1 in
store) cat > ${kept} ;;
get) [ -e ${kept} ] && cat ${kept} || { echo credentials not found in native keychain; exit 1; } ;;
erase) [ -e ${kept} ] && rm ${kept} || { echo credentials not found in native keychain; exit 1; } ;;
esac
`,
    );
    chmodSync(program, 0o755);
  }

  test('the password is kept for us alone when the registry has found it right, and nothing else changes', async () => {
    write({ auths: { 'other.example': { auth: 'eDp5' } }, HttpHeaders: { a: 'b' } });
    const stdin = ['login', '-u', 'me', '--password-stdin', registry.host];
    expect(await mayfly(stdin, `${SECRET}\n`)).toEqual({
      exitCode: 0,
      stdout: 'Login Succeeded',
      stderr: `mayfly: the password is kept in ${config()}, which no helper encrypts`,
    });
    expect(read()).toEqual({
      auths: {
        'other.example': { auth: 'eDp5' },
        [registry.host]: { auth: Buffer.from(`me:${SECRET}`).toString('base64') },
      },
      HttpHeaders: { a: 'b' },
    });
    expect(statSync(config()).mode & 0o777).toBe(0o600);
    expect(await mayfly(['login', registry.host])).toMatchObject({ exitCode: 0, stdout: 'Login Succeeded' });
    expect(await mayfly(['logout', `http://${registry.host}/v2/`])).toEqual({
      exitCode: 0,
      stdout: `Removing login credentials for ${registry.host}`,
      stderr: '',
    });
    expect(read()).toEqual({ auths: { 'other.example': { auth: 'eDp5' } }, HttpHeaders: { a: 'b' } });
    expect(await mayfly(['logout', registry.host])).toMatchObject({
      exitCode: 0,
      stdout: `Not logged in to ${registry.host}`,
    });
  });

  test('a wrong password is told from a right one, and not kept', async () => {
    const { exitCode, stdout, stderr } = await mayfly(
      ['login', '-u', 'me', '--password-stdin', registry.host],
      'other',
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^mayfly: cannot log in to 127\.0\.0\.1:\d+: it is not right\n {2}hint: /);
    expect(() => read()).toThrow('ENOENT');
  });

  test('a registry with a token server is asked by way of it', async () => {
    await using tokens = await startTokenServer();
    await using other = await startDockerRegistry({ kind: 'token', ...tokens });
    const login = (password: string) =>
      mayfly(['login', '-u', 'me', '--password-stdin', other.host], password);
    expect(await login('wrong')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('it is not right'),
    });
    expect(await login('secret')).toMatchObject({ exitCode: 0, stdout: 'Login Succeeded' });
    expect(read()).toHaveProperty(['auths', other.host, 'auth']);
  });

  test('without a user name what is kept is tried, and there has to be something', async () => {
    expect((await mayfly(['login', registry.host])).stderr).toContain('no password is kept');
    write({ auths: { [registry.host]: { auth: Buffer.from('me:other').toString('base64') } } });
    expect((await mayfly(['login', registry.host])).stderr).toContain('it is not right');
  });

  test.each([
    ['of the registry', () => ({ credHelpers: { [registry.host]: 'fake' } })],
    ['of all registries', () => ({ credsStore: 'fake' })],
  ])('a helper %s keeps it, and the file does not', async (_, settings) => {
    helper('fake');
    write(settings());
    expect(await mayfly(['login', '-u', 'me', '--password-stdin', registry.host], SECRET)).toEqual({
      exitCode: 0,
      stdout: 'Login Succeeded',
      stderr: '',
    });
    expect(read()).toEqual({ ...settings(), auths: { [registry.host]: {} } });
    expect(JSON.parse(readFileSync(join(directory, 'fake.json'), 'utf8'))).toEqual({
      ServerURL: registry.host,
      Username: 'me',
      Secret: SECRET,
    });
    expect(await mayfly(['login', registry.host])).toMatchObject({ exitCode: 0 });
    expect((await mayfly(['logout', registry.host])).stdout).toContain('Removing');
    expect(() => readFileSync(join(directory, 'fake.json'))).toThrow('ENOENT');
    expect((await mayfly(['logout', registry.host])).stdout).toContain('Not logged in');
  });

  test('a link to the file stays one', async () => {
    mkdirSync(join(directory, 'docker'));
    writeFileSync(join(directory, 'real.json'), '{}');
    symlinkSync('../real.json', config());
    expect(await mayfly(['login', '-u', 'me', '-p', SECRET, registry.host])).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(readFileSync(join(directory, 'real.json'), 'utf8'))).toHaveProperty([
      'auths',
      registry.host,
    ]);
    expect(statSync(join(directory, 'real.json')).mode & 0o777).toBe(0o600);
  });

  test.each([
    [['-u', 'me'], 'stdin is no terminal'],
    [['--password-stdin'], 'needs a user name'],
    [['-u', 'me', '-p', 'x', '--password-stdin'], 'exclude each other'],
    [['-u', 'me', '--password-stdin'], 'stdin holds no password'],
  ])('%j is refused', async (words, why) => {
    const { exitCode, stderr } = await mayfly(['login', ...words, registry.host]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 125, stderr: expect.stringContaining(why) });
  });
});
