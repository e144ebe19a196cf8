import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RealRegistry, startDockerRegistry } from '../../fixtures/registry/docker-registry.ts';
import { Tmux } from '../../fixtures/tmux.ts';
import { requires } from '../../requires.ts';

const SECRET = 'se:cret and "quotes"';

requires(
  'docker-registry',
  'htpasswd',
  'tmux',
)('login on a terminal', () => {
  let registry: RealRegistry;
  let directory: string;
  let terminal: Tmux;
  const config = () => join(directory, 'config.json');
  const kept = () => (JSON.parse(readFileSync(config(), 'utf8')) as { auths: object }).auths;
  const auth = () => ({ [registry.host]: { auth: Buffer.from(`me:${SECRET}`).toString('base64') } });

  beforeAll(async () => {
    const { stdout } = await execa('htpasswd', ['-Bbn', 'me', SECRET]);
    registry = await startDockerRegistry({ kind: 'htpasswd', users: `${stdout}\n` });
  });
  afterAll(() => registry?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'mayfly-login-'));
    terminal = await Tmux.start(join(directory, 'home'));
    await terminal.type(`export DOCKER_CONFIG=${directory}`);
  });
  afterEach(async () => {
    // Nothing that was ever on the screen gives it away.
    expect(await terminal.screen()).not.toContain('cret');
    await terminal[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  test('asks for what is missing, and does not show the password', async () => {
    const before = await terminal.settings();
    await terminal.type(`mayfly login ${registry.host}; echo "exit $?"`);
    await terminal.sees(/^Username: $/);
    await terminal.type('me');
    await terminal.sees(/^Password: $/);
    await terminal.type(SECRET);
    await terminal.sees(/^Login Succeeded\nexit 0$/);
    expect(kept()).toEqual(auth());
    expect(await terminal.settings()).toBe(before);
    // What is kept is tried first.
    await terminal.type(`mayfly login ${registry.host}; echo "again $?"`);
    expect((await terminal.sees(/^again 0$/)).match(/Username/g)).toHaveLength(1);
  });

  test('asks for the password alone when the name is given, and says when it is wrong', async () => {
    await terminal.type(`mayfly login -u me ${registry.host}; echo "exit $?"`);
    await terminal.sees(/^Password: $/);
    await terminal.type('other');
    expect(await terminal.sees(/^exit 1$/)).toContain('it is not right');
    expect(existsSync(config())).toBe(false);
    await terminal.type(`mayfly login -u me ${registry.host}; echo "then $?"`);
    await terminal.sees(/then \$\?"\nPassword: $/);
    // A mistake is mended as it is anywhere else.
    await terminal.type('sex\x7f:cret and "quotes"');
    await terminal.sees(/^then 0$/);
    expect(kept()).toEqual(auth());
  });

  test('Ctrl-C ends it, and the terminal shows again what is typed', async () => {
    const before = await terminal.settings();
    await terminal.type(`mayfly login -u me ${registry.host}`);
    await terminal.sees(/^Password: $/);
    await terminal.press('s', 'e', 'C-c');
    await terminal.sees(/^outer> $/);
    expect(await terminal.settings()).toBe(before);
    await terminal.type('echo "code $?"');
    await terminal.sees(/^outer> echo "code \$\?"\ncode 130$/);
    expect(existsSync(config())).toBe(false);
  });
});
