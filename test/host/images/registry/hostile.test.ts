import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../../../src/images/digest.ts';
import { MEDIA_TYPES } from '../../../../src/images/manifest/media-types.ts';
import { verifyStore } from '../../../../src/images/store/verify-store.ts';
import { type RealRegistry, startDockerRegistry } from '../../../fixtures/registry/docker-registry.ts';
import { type FaultProxy, startFaultProxy } from '../../../fixtures/registry/fault-proxy.ts';
import { describe, imageOf, indexOf, layerOf, tarOf } from '../../../fixtures/registry/image-layout.ts';
import { type ScratchStore, scratchStore } from '../../../fixtures/registry/pulling.ts';
import { requires } from '../../../requires.ts';

const layer = layerOf(tarOf({ name: 'f', type: 'file', content: 'x' }));
const good = imageOf([layer]);
const json = (bytes: Buffer) => JSON.parse(bytes.toString()) as Record<string, unknown>;
const manifest = (change: object) => Buffer.from(JSON.stringify({ ...json(good.manifest), ...change }));
/** An image whose configuration is this. */
const configured = (config: Buffer) => ({
  manifest: manifest({ config: describe(config, MEDIA_TYPES.config) }),
  blobs: [config, layer.blob],
});
const wrongLayer = layerOf(tarOf({ name: 'g', type: 'file', content: 'y' }));
const self = `sha256:${'a'.repeat(64)}`;

requires('root', 'docker-registry')('a registry that serves what it should not', () => {
  let registry: RealRegistry;
  let proxy: FaultProxy;
  let scratch: ScratchStore;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    proxy = await startFaultProxy(registry.host);
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    scratch = scratchStore();
  });
  afterEach(() => {
    scratch[Symbol.dispose]();
    proxy.clear();
  });

  /** From now on the registry has this under the tag, and these blobs and manifests under their digests. */
  function serve(
    tagged: Buffer,
    { type, blobs = [] }: { type?: string; blobs?: readonly Buffer[] } = {},
  ): void {
    const send = (path: RegExp, body: Buffer, mediaType: string) =>
      proxy.fault(
        path,
        ({ response }) =>
          response.writeHead(200, { 'content-type': mediaType, 'content-length': body.length }).end(body),
        99,
      );
    send(/manifests\/1$/, tagged, type ?? MEDIA_TYPES.manifest);
    for (const blob of [good.config, layer.blob, ...blobs])
      send(new RegExp(`blobs/${digestOf(blob)}`), blob, 'application/octet-stream');
    for (const blob of blobs) send(new RegExp(`manifests/${digestOf(blob)}`), blob, MEDIA_TYPES.manifest);
  }

  test('the honest image that the others are made of is pulled', async () => {
    serve(good.manifest);
    expect((await scratch.pull(`${proxy.host}/app:1`)).id).toBe(digestOf(good.config));
  });

  test.each<[string, () => void, string]>([
    [
      'an image that is an index as well',
      () => serve(manifest({ manifests: [] })),
      'image.ambiguous-manifest',
    ],
    ['an index as a manifest', () => serve(indexOf([good])), 'image.ambiguous-manifest'],
    [
      'schema 1',
      () =>
        serve(Buffer.from('{"schemaVersion": 1}'), {
          type: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
        }),
      'image.unsupported-manifest',
    ],
    [
      'a digest that is a path',
      () =>
        serve(
          manifest({
            layers: [{ ...describe(layer.blob, layer.mediaType), digest: 'sha256:../../../etc/passwd' }],
          }),
        ),
      'image.bad-manifest',
    ],
    [
      'a size below zero',
      () => serve(manifest({ layers: [{ ...describe(layer.blob, layer.mediaType), size: -1 }] })),
      'image.bad-manifest',
    ],
    [
      '126 layers',
      () => serve(manifest({ layers: Array(126).fill(describe(layer.blob, layer.mediaType)) })),
      'image.too-many-layers',
    ],
    [
      'more layers than the configuration has',
      () => serve(manifest({ layers: Array(2).fill(describe(layer.blob, layer.mediaType)) })),
      'image.bad-manifest',
    ],
    [
      'a configuration of a gigabyte',
      () => serve(manifest({ config: { ...describe(good.config, MEDIA_TYPES.config), size: 1 << 30 } })),
      'image.bad-config',
    ],
    [
      'a configuration that is null',
      () => serve(configured(Buffer.from('null')).manifest, configured(Buffer.from('null'))),
      'image.bad-config',
    ],
    [
      'a diffID that is a path',
      () => {
        const config = Buffer.from(
          JSON.stringify({ ...json(good.config), rootfs: { type: 'layers', diff_ids: ['../../x'] } }),
        );
        serve(configured(config).manifest, configured(config));
      },
      'image.bad-config',
    ],
    [
      'a layer that unpacks to something else',
      () =>
        serve(manifest({ layers: [describe(wrongLayer.blob, layer.mediaType)] }), {
          blobs: [wrongLayer.blob],
        }),
      'layer.diff-id-mismatch',
    ],
    [
      'indexes in a circle',
      () => {
        // By tag, because nobody can make a circle of digests: an index that points to what answers with another index.
        const inner = Buffer.from(
          JSON.stringify({
            schemaVersion: 2,
            mediaType: MEDIA_TYPES.index,
            manifests: [
              {
                mediaType: MEDIA_TYPES.manifest,
                digest: self,
                size: 1,
                platform: { os: 'linux', architecture: 'amd64' },
              },
            ],
          }),
        );
        serve(inner, { type: MEDIA_TYPES.index });
        proxy.fault(
          /manifests\/sha256/,
          ({ response }) => response.writeHead(200, { 'content-type': MEDIA_TYPES.index }).end(inner),
          99,
        );
      },
      'registry.digest-mismatch',
    ],
    [
      'an index that lies about a size',
      () => {
        const index = indexOf([good])
          .toString()
          .replace(/"size":\d+/, '"size":1');
        serve(Buffer.from(index), { type: MEDIA_TYPES.index, blobs: [good.manifest] });
      },
      'image.bad-manifest',
    ],
    ['a page', () => serve(Buffer.from('<html>'), { type: 'text/html' }), 'image.bad-manifest'],
    ['nothing', () => serve(Buffer.alloc(0)), 'image.bad-manifest'],
  ])('%s', async (_title, arrange, code) => {
    arrange();
    const reference = `${proxy.host}/app:1`;
    await expect(scratch.pull(reference)).rejects.toMatchObject({ code, reference });
    expect(scratch.store.list()).toEqual([]);
    expect(await verifyStore(scratch.store)).toEqual([]);
  });

  test('any byte of a manifest or configuration changed is an error of ours or the same image, never a crash', async () => {
    const texts = [good.manifest, good.config].map(String);
    let seed = 42;
    const random = (limit: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % limit;
    };
    const { parseDocument } = await import('../../../../src/images/manifest/manifest.ts');
    const { parseOciConfig } = await import('../../../../src/images/manifest/oci-config.ts');
    const values = ['null', '-1', '1e999', '[]', '{}', '""', '"__proto__"', 'true'];
    for (let round = 0; round < 2000; round += 1) {
      const [text, parse] =
        round % 2 === 0
          ? [texts[0]!, (bytes: Buffer) => parseDocument(bytes, undefined)]
          : [texts[1]!, parseOciConfig];
      const tokens = text.split(/(?<=[:,{}[\]])/);
      tokens[random(tokens.length)] = values[random(values.length)]!;
      const bytes = Buffer.from(tokens.join(''));
      if (random(3) === 0) bytes[random(bytes.length)] = random(256);
      try {
        parse(bytes);
      } catch (error) {
        expect((error as { code?: string }).code, bytes.toString()).toMatch(/^image\./);
      }
    }
  });
});
