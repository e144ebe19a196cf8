import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../../../src/images/digest.ts';
import { MEDIA_TYPES } from '../../../../src/images/manifest/media-types.ts';
import { verifyStore } from '../../../../src/images/store/verify-store.ts';
import type { FaultProxy } from '../../../fixtures/registry/fault-proxy.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../../../fixtures/registry/faulty-registry.ts';
import { imageOf, layerOf, tarOf } from '../../../fixtures/registry/image-layout.ts';
import { type ScratchStore, scratchStore } from '../../../fixtures/registry/pulling.ts';
import { requires } from '../../../requires.ts';

const MEBIBYTE = 1 << 20;
const DEADLINE = 20_000;
const file = (name: string) => ({ name, type: 'file' as const, content: randomBytes(2 * MEBIBYTE) });
// Not compressed, so that a byte can be changed without anything but the digest telling of it.
const layer = layerOf(tarOf(file('first'), file('second')), {
  compress: (tar) => tar,
  mediaType: MEDIA_TYPES.layer,
});
const image = imageOf([layer]);
const BLOB = /GET .*\/blobs\//;
const isLayer = new RegExp(digestOf(layer.blob));

requires(
  'root',
  'docker-registry',
  'skopeo',
)('a layer on its way', () => {
  let served: FaultyRegistry;
  let proxy: FaultProxy;
  let scratch: ScratchStore;
  beforeAll(async () => {
    served = await startFaultyRegistry(image);
    ({ proxy } = served);
  });
  afterAll(() => served[Symbol.asyncDispose]());
  beforeEach(() => {
    scratch = scratchStore();
  });
  afterEach(() => {
    scratch[Symbol.dispose]();
    proxy.clear();
  });

  const layers = () => readdirSync(join(scratch.directory, 'home/layers'));
  const isUnpacked = (name: string) =>
    layers().some((layer) => existsSync(join(scratch.directory, 'home/layers', layer, 'fs', name)));

  async function unpacked(name: string): Promise<void> {
    for (const end = Date.now() + DEADLINE; !isUnpacked(name); await delay(5))
      if (Date.now() > end) throw new Error(`${name} is not unpacked`);
  }

  test('is unpacked as it comes, and seen by nobody before it is whole', async () => {
    let seen: unknown;
    proxy.fault(isLayer, async ({ response, upstream }) => {
      const { status, headers, body } = await upstream();
      response.writeHead(status, headers);
      response.write(body.subarray(0, 3 * MEBIBYTE));
      await unpacked('first');
      seen = [scratch.store.layers.list(), scratch.store.list()];
      response.end(body.subarray(3 * MEBIBYTE));
    });
    const { id } = await scratch.pull(`${proxy.host}/app:1`);
    expect(seen).toEqual([[], []]);
    expect(id).toBe(digestOf(image.config));
    expect(isUnpacked('second')).toBe(true);
    expect(await verifyStore(scratch.store)).toEqual([]);
  });

  test('goes on being unpacked when the connection breaks and is taken up again', async () => {
    proxy.fault(isLayer, async ({ response, upstream }) => {
      const { status, headers, body } = await upstream();
      response.writeHead(status, headers);
      response.write(body.subarray(0, 3 * MEBIBYTE));
      await unpacked('first');
      response.destroy();
    });
    await scratch.pull(`${proxy.host}/app:1`);
    expect(proxy.seen.filter(({ line }) => BLOB.test(line) && isLayer.test(line))).toHaveLength(2);
    expect(await verifyStore(scratch.store)).toEqual([]);
  });

  test('leaves nothing when it turns out to be another, however good its tar is', async () => {
    proxy.fault(isLayer, async ({ response, upstream }) => {
      const { status, headers, body } = await upstream();
      const changed = Buffer.from(body);
      changed[MEBIBYTE]! ^= 1;
      response.writeHead(status, headers).end(changed);
    });
    await expect(scratch.pull(`${proxy.host}/app:1`)).rejects.toMatchObject({
      code: 'registry.digest-mismatch',
    });
    expect(layers()).toEqual([]);
    expect(scratch.store.blobs.has({ digest: digestOf(layer.blob), size: layer.blob.length })).toBe(false);
    expect((await scratch.pull(`${proxy.host}/app:1`)).id).toBe(digestOf(image.config));
  });

  test('leaves nothing of it when it is given up', async () => {
    const controller = new AbortController();
    proxy.fault(isLayer, async ({ response, upstream }) => {
      const { status, headers, body } = await upstream();
      response.writeHead(status, headers);
      response.write(body.subarray(0, 3 * MEBIBYTE));
      await unpacked('first');
      controller.abort(new Error('enough'));
    });
    await expect(scratch.pull(`${proxy.host}/app:1`, { signal: controller.signal })).rejects.toThrow(
      'enough',
    );
    expect(layers()).toEqual([]);
    expect(await verifyStore(scratch.store)).toEqual([]);
  });
});
