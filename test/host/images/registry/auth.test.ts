import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RealRegistry, startDockerRegistry } from '../../../fixtures/registry/docker-registry.ts';
import { type FaultProxy, startFaultProxy } from '../../../fixtures/registry/fault-proxy.ts';
import { imageOf, layerOf, tarOf, writeLayout } from '../../../fixtures/registry/image-layout.ts';
import { type ScratchStore, scratchStore } from '../../../fixtures/registry/pulling.ts';
import { skopeoCopy } from '../../../fixtures/registry/skopeo.ts';
import { startTokenServer, type TokenServer } from '../../../fixtures/registry/token-server.ts';
import { requires } from '../../../requires.ts';

const image = imageOf(
  ['a', 'b', 'c', 'd'].map((name) => layerOf(tarOf({ name, type: 'file', content: name }))),
);

/** What `docker login` would have written for these hosts. */
function loggedIn(entry: object, ...hosts: string[]): NodeJS.ProcessEnv {
  const auths = Object.fromEntries(hosts.map((host) => [host, entry]));
  return { DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) };
}
const password = (user: string, secret: string) => ({
  auth: Buffer.from(`${user}:${secret}`).toString('base64'),
});

async function fill(registry: RealRegistry, ...names: string[]): Promise<void> {
  const layout = mkdtempSync(join(tmpdir(), 'mayfly-layout-'));
  writeLayout(layout, { image: [image] });
  for (const name of names)
    await skopeoCopy(`oci:${layout}:image`, `docker://${registry.host}/${name}:1`, '--dest-creds=me:secret');
  rmSync(layout, { recursive: true });
}

requires(
  'root',
  'docker-registry',
  'skopeo',
  'htpasswd',
)('a registry that asks for a password', () => {
  let registry: RealRegistry;
  let scratch: ScratchStore;
  beforeAll(async () => {
    const { stdout } = await execa('htpasswd', ['-Bbn', 'me', 'secret']);
    registry = await startDockerRegistry({ kind: 'htpasswd', users: `${stdout}\n` });
    await fill(registry, 'private/app');
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  beforeEach(() => {
    scratch = scratchStore();
  });
  afterEach(() => scratch[Symbol.dispose]());

  test('lets in who has it', async () => {
    const env = loggedIn(password('me', 'secret'), registry.host);
    expect(
      (await scratch.pull(`${registry.host}/private/app:1`, { env })).config.rootfs.diff_ids,
    ).toHaveLength(4);
  });

  test('by a credential helper, too', async () => {
    const program = join(scratch.directory, 'docker-credential-fake');
    writeFileSync(program, `#!/bin/sh\nread -r server; echo '{"Username":"me","Secret":"secret"}'\n`, {
      mode: 0o755,
    });
    const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ credHelpers: { [registry.host]: 'fake' } }) };
    const path = process.env.PATH;
    process.env.PATH = `${scratch.directory}:${path}`;
    try {
      await scratch.pull(`${registry.host}/private/app:1`, { env });
    } finally {
      process.env.PATH = path;
    }
  });

  test.each([
    ['nobody', {}],
    ['who has the wrong one', password('me', 'wrong')],
  ])('turns away %s', async (_title, entry) => {
    const reference = `${registry.host}/private/app:1`;
    const pull = scratch.pull(reference, { env: loggedIn(entry, registry.host) });
    await expect(pull).rejects.toMatchObject({
      code: 'registry.unauthorized',
      reference,
      hint: expect.stringContaining('docker login'),
    });
  });
});

requires(
  'root',
  'docker-registry',
  'skopeo',
  'openssl',
)('a registry with a token server', () => {
  let tokens: TokenServer;
  let registry: RealRegistry;
  let proxy: FaultProxy;
  let scratch: ScratchStore;
  beforeAll(async () => {
    tokens = await startTokenServer();
    registry = await startDockerRegistry({ kind: 'token', ...tokens });
    await fill(registry, 'private/app', 'public/app');
    proxy = await startFaultProxy(registry.host);
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await tokens[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    scratch = scratchStore();
    proxy.clear();
    tokens.seen.length = 0;
    tokens.life = 300;
  });
  afterEach(() => scratch[Symbol.dispose]());

  const me = () => loggedIn(password('me', 'secret'), proxy.host);

  test('strangers pull what is public, with one token for all', async () => {
    await scratch.pull(`${proxy.host}/public/app:1`);
    expect(tokens.seen).toEqual([
      { method: 'GET', authorization: undefined, scopes: ['repository:public/app:pull'] },
    ]);
  });

  test('strangers do not pull what is private', async () => {
    await expect(scratch.pull(`${proxy.host}/private/app:1`)).rejects.toMatchObject({
      code: 'registry.unauthorized',
    });
    expect(tokens.seen.length).toBeLessThanOrEqual(2);
  });

  test('a password gets one token, which four layers share', async () => {
    await scratch.pull(`${proxy.host}/private/app:1`, { env: me() });
    expect(tokens.seen).toHaveLength(1);
    expect(tokens.seen[0]!.authorization).toMatch(/^Basic /);
    const carried = new Set(proxy.seen.map(({ headers }) => headers.authorization));
    expect(carried.size).toBe(2);
  });

  test('an identity token is traded for an access token', async () => {
    const env = loggedIn({ identitytoken: 'refresh' }, proxy.host);
    await scratch.pull(`${proxy.host}/private/app:1`, { env });
    expect(tokens.seen.map(({ method }) => method)).toEqual(['POST']);
  });

  test('a wrong password is told as what the token server says', async () => {
    const env = loggedIn(password('me', 'wrong'), proxy.host);
    await expect(scratch.pull(`${proxy.host}/private/app:1`, { env })).rejects.toMatchObject({
      code: 'registry.unauthorized',
      message: expect.stringContaining('wrong password'),
    });
  });

  test('a token that expires in the middle is renewed', async () => {
    const challenge = `Bearer realm="${tokens.realm}",service="${tokens.service}",error="invalid_token"`;
    proxy.fault(
      /GET .*\/blobs\//,
      ({ response }) => response.writeHead(401, { 'www-authenticate': challenge }).end(),
      2,
    );
    await scratch.pull(`${proxy.host}/private/app:1`, { env: me() });
    expect(tokens.seen.length).toBeGreaterThanOrEqual(2);
  });

  test('a registry that wants a wider scope gets asked for once more, and no third time', async () => {
    const wide = `Bearer realm="${tokens.realm}",service="${tokens.service}",scope="repository:private/app:pull,push",error="insufficient_scope"`;
    const refuse = ({ response }: { response: import('node:http').ServerResponse }) =>
      response.writeHead(401, { 'www-authenticate': wide }).end();
    proxy.fault(/manifests/, refuse, 1);
    await scratch.pull(`${proxy.host}/private/app:1`, { env: me() });
    expect(tokens.seen.at(-1)!.scopes).toContain('repository:private/app:pull,push');
    proxy.clear();
    proxy.fault(/manifests/, refuse, 99);
    await expect(scratch.pull(`${proxy.host}/private/app:1`, { env: me() })).rejects.toMatchObject({
      code: 'registry.unauthorized',
    });
    expect(proxy.seen.filter(({ line }) => line.includes('manifests'))).toHaveLength(3);
  });

  test('a realm of a stranger is not asked', async () => {
    const realms = [
      'http://169.254.169.254/token',
      'http://10.0.0.1/token',
      'http://evil.example.com/token',
      'ftp://x/',
    ];
    for (const realm of realms) {
      proxy.clear();
      proxy.fault(
        /manifests/,
        ({ response }) => response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end(),
        9,
      );
      await expect(scratch.pull(`${proxy.host}/private/app:1`, { env: me() })).rejects.toMatchObject({
        code: 'registry.bad-realm',
      });
    }
  });

  test.each<[string, (response: import('node:http').ServerResponse) => void, string]>([
    ['no JSON', (response) => response.end('<html>'), 'registry.bad-response'],
    ['no token', (response) => response.end('{}'), 'registry.bad-response'],
    [
      'a token with a line break',
      (response) => response.end('{"token": "a\\r\\nb"}'),
      'registry.bad-response',
    ],
    [
      'two megabytes',
      (response) => response.end(`{"token": "${'x'.repeat(2 << 20)}"}`),
      'registry.too-large',
    ],
    ['503', (response) => response.writeHead(503).end('busy'), 'registry.server-error'],
    ['403', (response) => response.writeHead(403).end('no'), 'registry.forbidden'],
  ])('a token server that sends %s', async (_title, act, code) => {
    proxy.fault(
      /manifests/,
      ({ response }) =>
        response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${proxy.host}/token"` }).end(),
      9,
    );
    proxy.fault(/\/token/, ({ response }) => act(response), 9);
    await expect(scratch.pull(`${proxy.host}/private/app:1`)).rejects.toMatchObject({ code });
  });
});
