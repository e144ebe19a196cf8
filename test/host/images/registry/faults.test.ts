import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../../../src/images/digest.ts';
import { MEDIA_TYPES } from '../../../../src/images/manifest/media-types.ts';
import { type Exchange, type FaultProxy, startFaultProxy } from '../../../fixtures/registry/fault-proxy.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../../../fixtures/registry/faulty-registry.ts';
import { imageOf, layerOf, tarOf } from '../../../fixtures/registry/image-layout.ts';
import { type PullSettings, type ScratchStore, scratchStore } from '../../../fixtures/registry/pulling.ts';
import { requires } from '../../../requires.ts';

/** Large enough that it is on its way for some time; noise, so that it stays so. */
const large = layerOf(tarOf({ name: 'large', type: 'file', content: randomBytes(8 << 20) }));
const image = imageOf([layerOf(tarOf({ name: 'small', type: 'file', content: 'x' })), large]);
const blob = digestOf(large.blob);
const LARGE = new RegExp(`GET .*/blobs/${blob}`);
const MANIFEST = /GET .*\/manifests\//;

requires(
  'root',
  'docker-registry',
  'skopeo',
)('a registry that is out of sorts', () => {
  let served: FaultyRegistry;
  let proxy: FaultProxy;
  let other: FaultProxy;
  let scratch: ScratchStore;
  beforeAll(async () => {
    served = await startFaultyRegistry(image);
    ({ proxy } = served);
    other = await startFaultProxy(served.registry.host);
  });
  afterAll(async () => {
    for (const server of [other, served]) await server[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    scratch = scratchStore();
  });
  afterEach(() => {
    scratch[Symbol.dispose]();
    proxy.clear();
    other.clear();
  });

  const pull = (settings?: PullSettings) => scratch.pull(`${proxy.host}/app:1`, settings);
  const status =
    (code: number, headers: Record<string, string> = {}) =>
    ({ response }: Exchange) =>
      response
        .writeHead(code, headers)
        .end(JSON.stringify({ errors: [{ code: 'TEST', message: 'said\u001b[2J so' }] }));

  /** The pull fails with this code, says where, and leaves nothing half done; then the same pull succeeds. */
  async function expectFailure(code: string, { layer, ...settings }: PullSettings & { layer?: string } = {}) {
    const error = await pull(settings).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, reference: `${proxy.host}/app:1`, layer });
    expect((error as Error).message).not.toContain('\u001b');
    expect(scratch.store.list()).toEqual([]);
    expect(readdirSync(scratch.store.paths.ingest).filter((name) => !name.endsWith('.lock'))).toEqual([]);
    proxy.clear();
    expect((await pull()).id).toBe(digestOf(image.config));
  }

  test.each([
    [401, 'registry.unauthorized'],
    [403, 'registry.forbidden'],
    [404, 'registry.not-found'],
    [418, 'registry.bad-response'],
    [429, 'registry.rate-limited'],
    [500, 'registry.server-error'],
    [502, 'registry.server-error'],
    [503, 'registry.server-error'],
  ])('answers %i to everything: for the manifest', async (code, expected) => {
    proxy.fault(MANIFEST, status(code), 99);
    await expectFailure(expected);
  });

  test.each([
    [401, 'registry.unauthorized'],
    [403, 'registry.forbidden'],
    [404, 'registry.not-found'],
    [429, 'registry.rate-limited'],
    [503, 'registry.server-error'],
  ])('answers %i to everything: for a layer', async (code, expected) => {
    proxy.fault(LARGE, status(code), 99);
    await expectFailure(expected, { layer: blob });
  });

  test.each([429, 500, 502, 503, 504, 408])('answers %i twice, and then as it should', async (code) => {
    for (const pattern of [MANIFEST, LARGE]) proxy.fault(pattern, status(code, { 'retry-after': '0' }), 2);
    expect((await pull()).id).toBe(digestOf(image.config));
  });

  test('asks for a pause of an hour, which is told and not waited for', async () => {
    proxy.fault(MANIFEST, status(429, { 'retry-after': '3600' }), 99);
    await expect(pull()).rejects.toMatchObject({
      code: 'registry.rate-limited',
      hint: expect.stringContaining('3600 s'),
    });
    expect(proxy.seen.filter(({ line }) => MANIFEST.test(line))).toHaveLength(1);
  });

  test('hangs up before it answers', async () => {
    proxy.fault(MANIFEST, ({ response }) => response.destroy(), 2);
    expect((await pull()).id).toBe(digestOf(image.config));
  });

  test.each([
    ['the version check', /GET \/v2\/$/, undefined, 'registry.broken-connection'],
    ['the manifest', MANIFEST, undefined, 'registry.broken-connection'],
    [
      'the configuration',
      new RegExp(`blobs/${digestOf(image.config)}`),
      digestOf(image.config),
      'registry.broken-connection',
    ],
    ['a layer', LARGE, blob, 'registry.broken-connection'],
  ])('hangs up for ever at %s', async (_title, pattern, layer, code) => {
    proxy.fault(pattern, ({ response }) => response.destroy(), 99);
    if (layer === undefined && pattern.source.includes('v2\\/$')) {
      // No answer in plain HTTP means that it may speak HTTPS, which it does not.
      await expect(pull()).rejects.toMatchObject({ code: expect.stringMatching(/^registry\./) });
      return;
    }
    await expectFailure(code, layer === undefined ? {} : { layer });
  });

  /** Sends the blob from the asked place on, but only so many bytes of it, and hangs up. */
  const broken =
    (bytes: number) =>
    async ({ request, response, upstream }: Exchange) => {
      const { status: code, headers, body } = await upstream();
      const length = request.headers.range === undefined ? body.length : body.length;
      response.writeHead(code, { ...headers, 'content-length': length });
      response.write(body.subarray(0, bytes), () => response.destroy());
    };

  test('breaks a layer off three times, which goes on where it was', async () => {
    proxy.fault(LARGE, broken(2 << 20), 3);
    expect((await pull()).id).toBe(digestOf(image.config));
    const ranges = proxy.seen.filter(({ line }) => LARGE.test(line)).map(({ headers }) => headers.range);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range!))).toBe(true);
    const sent = [...proxy.sent].find(([line]) => LARGE.test(line))![1];
    expect(sent).toBeLessThan(large.blob.length * 1.2);
  });

  test('does not know ranges, and the layer is right all the same', async () => {
    proxy.fault(
      LARGE,
      async ({ response }) =>
        response.writeHead(200, { 'content-length': large.blob.length }).end(large.blob),
      9,
    );
    proxy.fault(LARGE, broken(2 << 20));
    expect((await pull()).id).toBe(digestOf(image.config));
  });

  test.each([
    ['shifted', 'bytes 1-2/8388608'],
    ['without a word', ''],
    ['of nonsense', 'bytes x'],
  ])('sends another part than the one asked for: %s', async (_title, range) => {
    proxy.fault(
      LARGE,
      ({ response }) => response.writeHead(206, { 'content-range': range }).end(large.blob),
      9,
    );
    proxy.fault(LARGE, broken(2 << 20));
    await expectFailure('registry.bad-response', { layer: blob });
  });

  const answer =
    (body: Buffer, headers: Record<string, string | number> = { 'content-length': body.length }) =>
    ({ response }: Exchange) =>
      response.writeHead(200, headers).end(body);
  const flipped = Buffer.from(large.blob);
  flipped[1000] = flipped[1000]! ^ 1;

  test.each<[string, (exchange: Exchange) => unknown, string]>([
    ['with one bit flipped', answer(flipped), 'registry.digest-mismatch'],
    ['one byte short', answer(large.blob.subarray(0, -1)), 'registry.size-mismatch'],
    ['one byte short, in chunks', answer(large.blob.subarray(0, -1), {}), 'registry.broken-connection'],
    ['one byte long', answer(Buffer.concat([large.blob, Buffer.from('x')])), 'registry.size-mismatch'],
    [
      'one byte long, in chunks',
      answer(Buffer.concat([large.blob, Buffer.from('x')]), {}),
      'registry.size-mismatch',
    ],
    ['empty', answer(Buffer.alloc(0)), 'registry.size-mismatch'],
    ['of another content', answer(Buffer.alloc(large.blob.length)), 'registry.digest-mismatch'],
    ['gzipped once more', answer(large.blob, { 'content-encoding': 'gzip' }), 'registry.bad-response'],
    [
      'encoded a thousand times',
      answer(large.blob, { 'content-encoding': Array(1000).fill('gzip').join(',') }),
      'registry.bad-response',
    ],
  ])('sends a layer %s', async (_title, act, code) => {
    proxy.fault(LARGE, act, 99);
    await expectFailure(code, { layer: blob });
  });

  test('announces less than it sends', async () => {
    proxy.fault(LARGE, answer(large.blob, { 'content-length': 100 }), 99);
    await expectFailure('registry.size-mismatch', { layer: blob });
  });

  test('trickles a layer, which is given up', async () => {
    proxy.fault(
      LARGE,
      ({ response }) => {
        response.writeHead(200, { 'content-length': large.blob.length });
        const timer = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(timer));
      },
      99,
    );
    await expectFailure('registry.stalled', { layer: blob, stallTimeout: 200 });
  });

  test('trickles a manifest, or never answers, which is given up', async () => {
    proxy.fault(
      MANIFEST,
      ({ response }) => {
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(timer));
      },
      99,
    );
    await expectFailure('registry.stalled', { stallTimeout: 200 });
    scratch[Symbol.dispose]();
    scratch = scratchStore();
    proxy.fault(MANIFEST, () => {}, 99);
    await expectFailure('registry.stalled', { stallTimeout: 200 });
  });

  test('sends a manifest of more than four megabytes, or another than its digest says', async () => {
    proxy.fault(MANIFEST, answer(Buffer.alloc((4 << 20) + 1, ' ')), 99);
    await expectFailure('registry.too-large');
    proxy.clear();
    proxy.fault(MANIFEST, answer(image.manifest, { 'content-type': MEDIA_TYPES.manifest }), 99);
    const wrong = `${proxy.host}/app@sha256:${'a'.repeat(64)}`;
    await expect(scratch.pull(wrong)).rejects.toMatchObject({
      code: 'registry.digest-mismatch',
      reference: wrong,
    });
  });

  test('redirects a layer to another host, which sees no Authorization, nor does it on the way back', async () => {
    const env = {
      DOCKER_AUTH_CONFIG: JSON.stringify({
        auths: { [proxy.host]: { auth: Buffer.from('me:secret').toString('base64') } },
      }),
    };
    proxy.fault(MANIFEST, status(401, { 'www-authenticate': 'Basic realm="x"' }));
    const redirect =
      (location: string) =>
      ({ response }: Exchange) =>
        response.writeHead(307, { location }).end();
    proxy.fault(LARGE, redirect(`http://${other.host}/elsewhere`));
    other.fault(/elsewhere/, redirect(`http://${proxy.host}/back`));
    proxy.fault(/back/, redirect(`http://${other.host}/blob`));
    other.fault(/blob/, answer(large.blob));
    expect((await pull({ env })).id).toBe(digestOf(image.config));
    expect(other.seen.map(({ line }) => line)).toEqual(['GET /elsewhere', 'GET /blob']);
    expect(other.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
    expect(proxy.seen.find(({ line }) => LARGE.test(line))!.headers.authorization).toMatch(/^Basic /);
  });

  test.each([
    ['in a circle', (host: string) => `http://${host}/v2/app/blobs/${blob}`],
    ['to nowhere', () => ''],
    ['to a file', () => 'file:///etc/passwd'],
    ['to no URL', () => 'http://[x'],
  ])('redirects %s', async (_title, location) => {
    proxy.fault(
      LARGE,
      ({ response }) => {
        const target = location(proxy.host);
        response.writeHead(307, target === '' ? {} : { location: target }).end();
      },
      99,
    );
    await expectFailure('registry.bad-redirect', { layer: blob });
  });

  test('is not there', async () => {
    const reference = '127.0.0.1:1/app:1';
    await expect(scratch.pull(reference)).rejects.toMatchObject({ code: 'registry.unreachable', reference });
  });
});
