import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../../../src/images/digest.ts';
import { importTarball } from '../../../../src/images/import.ts';
import { MEDIA_TYPES } from '../../../../src/images/manifest/media-types.ts';
import { verifyStore } from '../../../../src/images/store/verify-store.ts';
import { type RealRegistry, startDockerRegistry } from '../../../fixtures/registry/docker-registry.ts';
import { type FaultProxy, startFaultProxy } from '../../../fixtures/registry/fault-proxy.ts';
import {
  imageOf,
  layerOf,
  type TestImage,
  tarOf,
  writeLayout,
} from '../../../fixtures/registry/image-layout.ts';
import { type ScratchStore, scratchStore } from '../../../fixtures/registry/pulling.ts';
import { skopeo, skopeoCopy } from '../../../fixtures/registry/skopeo.ts';
import { startTokenServer, type TokenServer } from '../../../fixtures/registry/token-server.ts';
import { requires } from '../../../requires.ts';

const file = (name: string, content: string | Buffer) => ({ name, type: 'file' as const, content });
const base = layerOf(tarOf(file('base', 'base')));
const app = imageOf([base, layerOf(tarOf(file('app', 'app'))), base]);
/** Three pieces. */
const noise = layerOf(tarOf(file('noise', randomBytes(40 << 20))), {
  compress: (tar) => tar,
  mediaType: MEDIA_TYPES.layer,
});
const large = imageOf([noise]);
const LARGE_BLOB = noise.diffId;

/** Puts an image into a store, as another tool would. */
async function add(scratch: ScratchStore, name: string, image: TestImage): Promise<void> {
  const layout = join(scratch.directory, `layout-${randomBytes(4).toString('hex')}`);
  writeLayout(layout, { image: [image] });
  await skopeoCopy(`oci:${layout}:image`, `oci:${scratch.store.paths.layout}:${name}`, '--preserve-digests');
}

requires(
  'root',
  'docker-registry',
  'skopeo',
  'openssl',
)('pushing to a registry', () => {
  let tokens: TokenServer;
  let registry: RealRegistry;
  let proxy: FaultProxy;
  let scratch: ScratchStore;
  let name: string;
  let count = 0;
  beforeAll(async () => {
    tokens = await startTokenServer();
    registry = await startDockerRegistry({ kind: 'token', ...tokens });
    proxy = await startFaultProxy(registry.host);
  });
  afterAll(async () => {
    for (const server of [proxy, registry, tokens]) await server[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    scratch = scratchStore();
    count += 1;
    name = `${proxy.host}/test${count}/app:1`;
  });
  afterEach(() => {
    scratch[Symbol.dispose]();
    proxy.clear();
  });

  const env = () => ({
    DOCKER_AUTH_CONFIG: JSON.stringify({
      auths: { [proxy.host]: { auth: Buffer.from('me:secret').toString('base64') } },
    }),
  });
  const raw = (reference: string) =>
    skopeo('inspect', '--raw', '--tls-verify=false', '--creds=me:secret', `docker://${reference}`);
  const lines = (pattern: RegExp) => proxy.seen.map(({ line }) => line).filter((line) => pattern.test(line));

  test('an image arrives byte for byte, each layer once, and skopeo can copy it', async () => {
    await add(scratch, name, app);
    expect(await scratch.push(name, { env: env() })).toBe(digestOf(app.manifest));
    expect(await raw(name)).toBe(app.manifest.toString());
    expect(lines(/^PUT .*digest=/)).toHaveLength(3);
    await skopeoCopy(`docker://${name}`, `dir:${scratch.directory}/copy`, '--src-creds=me:secret');
  });

  test('what the registry has is not sent again', async () => {
    await add(scratch, name, app);
    await scratch.push(name, { env: env() });
    proxy.clear();
    await scratch.push(name, { env: env() });
    expect(lines(/^(POST|PATCH)/)).toEqual([]);
    expect(lines(/^HEAD/).length).toBeGreaterThanOrEqual(3);
  });

  test('layers of another repository are mounted', async () => {
    await add(scratch, name, app);
    await scratch.push(name, { env: env() });
    proxy.clear();
    await scratch.push(`${proxy.host}/test${count}/other:1`, { env: env(), from: name });
    expect(lines(/^POST .*mount=/).length).toBeGreaterThanOrEqual(2);
    const layers = app.layers.map(({ blob }) => digestOf(blob).slice('sha256:'.length));
    expect(lines(/^PUT .*digest=/).filter((line) => layers.some((digits) => line.includes(digits)))).toEqual(
      [],
    );
  });

  test('a large layer goes in pieces, and on from where the connection broke', async () => {
    await add(scratch, name, large);
    // The last piece does not arrive.
    proxy.fault(/^PUT .*digest=/, ({ request, response }) => {
      request.once('data', () => response.destroy());
    });
    await scratch.push(name, { env: env() });
    expect(await raw(name)).toBe(large.manifest.toString());
    expect(lines(/^PATCH/)).toHaveLength(2);
    expect(lines(new RegExp(`^PUT .*${LARGE_BLOB.slice('sha256:'.length)}`))).toHaveLength(2);
    const ranges = proxy.seen
      .filter(({ line }) => line.startsWith('PATCH'))
      .map(({ headers }) => headers['content-range']);
    expect(ranges).toEqual([`0-${(16 << 20) - 1}`, `${16 << 20}-${(32 << 20) - 1}`]);
  });

  test('an upload that the registry has forgotten begins anew', async () => {
    await add(scratch, name, large);
    proxy.fault(/^GET .*uploads/, ({ response }) => response.writeHead(404).end());
    proxy.fault(/^PATCH/, ({ request, response }) => {
      request.once('data', () => response.destroy());
    });
    await scratch.push(name, { env: env() });
    expect(await raw(name)).toBe(large.manifest.toString());
    expect(lines(/^POST/).length).toBeGreaterThanOrEqual(3);
  });

  test('an image that was imported is packed, pushed, and the same when it is pulled', async () => {
    // As no tool sorts it: a parent that comes too late, one that never comes, a file twice, and what is hidden.
    const tar = tarOf(
      file('d/f', 'once'),
      { name: 'l', type: 'symlink', linkname: 'd/f' },
      file('never/x', 'x'),
      file('never/.wh.gone', ''),
      { name: 'd', type: 'directory', mode: 0o750, uid: 5, gid: 6 },
      { name: 'hard', type: 'link', linkname: 'never/x' },
      file('d/f', 'content'),
    );
    const options = { reference: name, config: { Cmd: ['x'] } };
    const imported = await importTarball(scratch.store, Readable.from([tar]), options);
    const digest = await scratch.push(name, { env: env() });
    expect(await scratch.push(name, { env: env() })).toBe(digest);
    using other = scratchStore();
    const image = await other.store.open(await other.pull(name, { env: env() }));
    expect(image).toMatchObject({ id: imported.id, config: { Cmd: ['x'] } });
    expect(image.layers[0]!.diffId).toBe(imported.layers[0]!.diffId);
    expect(await verifyStore(other.store)).toEqual([]);
    expect(await verifyStore(scratch.store)).toEqual([]);
    expect((await importTarball(other.store, Readable.from([tar]), options)).id).toBe(imported.id);
    expect(readFileSync(join(image.layers[0]!.directory, 'l'), 'utf8')).toBe('content');
    expect(scratch.store.list()).toHaveLength(1);
  });

  test.each<[string, RegExp, number, string]>([
    ['403 at the first upload', /^POST/, 403, 'registry.forbidden'],
    ['500 for ever at the end of an upload', /^PUT .*digest=/, 500, 'registry.server-error'],
    ['404 at the manifest', /^PUT .*manifests/, 404, 'registry.not-found'],
    ['400 at the manifest', /^PUT .*manifests/, 400, 'registry.bad-response'],
    ['429 for ever', /^HEAD/, 429, 'registry.rate-limited'],
  ])('a registry that says %s', async (_title, pattern, status, code) => {
    await add(scratch, name, app);
    proxy.fault(
      pattern,
      ({ request, response }) => {
        request.resume();
        response.writeHead(status).end();
      },
      99,
    );
    await expect(scratch.push(name, { env: env() })).rejects.toMatchObject({ code, reference: name });
    proxy.clear();
    await scratch.push(name, { env: env() });
    expect(await raw(name)).toBe(app.manifest.toString());
  });

  test('an upload that goes on at another host takes no password there', async () => {
    await add(scratch, name, app);
    await using other = await startFaultProxy(registry.host);
    other.fault(
      /./,
      ({ request, response }) => {
        request.resume();
        response.writeHead(201).end();
      },
      99,
    );
    proxy.fault(
      /^POST/,
      ({ response }) => response.writeHead(202, { location: `http://${other.host}/there?x=1` }).end(),
      99,
    );
    await scratch.push(name, { env: env() }).catch(() => {});
    expect(other.seen.length).toBeGreaterThan(0);
    expect(other.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    expect(other.seen[0]!.line).toMatch(/^PUT \/there\?x=1&digest=sha256/);
  });

  test('without the right to push, it says so', async () => {
    await add(scratch, `${proxy.host}/public/app:1`, app);
    await expect(scratch.push(`${proxy.host}/public/app:1`)).rejects.toMatchObject({
      code: 'registry.unauthorized',
    });
  });
});
