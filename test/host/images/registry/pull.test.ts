import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { execaSync } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../../../src/images/digest.ts';
import { MEDIA_TYPES } from '../../../../src/images/manifest/media-types.ts';
import { collectGarbage } from '../../../../src/images/store/collect-garbage.ts';
import { verifyStore } from '../../../../src/images/store/verify-store.ts';
import { resolveHome } from '../../../../src/support/home.ts';
import { type RealRegistry, startDockerRegistry } from '../../../fixtures/registry/docker-registry.ts';
import { type FaultProxy, startFaultProxy } from '../../../fixtures/registry/fault-proxy.ts';
import {
  imageOf,
  indexOf,
  layerOf,
  type TestImage,
  tarOf,
  writeLayout,
} from '../../../fixtures/registry/image-layout.ts';
import { type ScratchStore, scratchStore } from '../../../fixtures/registry/pulling.ts';
import { skopeo, skopeoCopy } from '../../../fixtures/registry/skopeo.ts';
import { requires } from '../../../requires.ts';

const file = (name: string, content: string) => ({ name, type: 'file' as const, content });
/** The real thing, since Node 20 has no zstd. */
const zstd = (tar: Buffer) =>
  Buffer.from(execaSync('zstd', ['-c'], { input: tar, encoding: 'buffer' }).stdout);

const base = layerOf(tarOf(file('base', 'gzip')));
const small: TestImage = imageOf(
  [
    base,
    layerOf(tarOf(file('middle', 'zstd')), { compress: zstd, mediaType: MEDIA_TYPES.zstdLayer }),
    layerOf(tarOf(file('top', 'plain')), { compress: (tar) => tar, mediaType: MEDIA_TYPES.layer }),
  ],
  { config: { Env: ['A=b'], Cmd: ['true'] } },
);
const arm: TestImage = imageOf([base], { architecture: 'arm64' });
const twice: TestImage = imageOf([base, layerOf(tarOf(file('x', 'x'))), base]);

requires(
  'root',
  'docker-registry',
  'skopeo',
  'zstd',
)('pulling from a registry', () => {
  let registry: RealRegistry;
  let proxy: FaultProxy;
  let scratch: ScratchStore;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    using source = scratchStore();
    const layout = join(source.directory, 'layout');
    writeLayout(layout, { small: [small], multi: [arm, small], twice: [twice] });
    for (const name of ['small', 'multi', 'twice'])
      await skopeoCopy(
        `oci:${layout}:${name}`,
        `docker://${registry.host}/test/${name}:1`,
        '--preserve-digests',
      );
    await skopeoCopy(`oci:${layout}:twice`, `docker://${registry.host}/test/docker:1`, '--format=v2s2');
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

  test('an image with gzip, zstd and plain layers comes with its configuration and its trees', async () => {
    const stored = await scratch.pull(`${registry.host}/test/small:1`);
    expect(stored.id).toBe(digestOf(small.config));
    const image = await scratch.store.open(stored);
    expect(image.config).toEqual({ Env: ['A=b'], Cmd: ['true'] });
    expect(image.references).toEqual([`${registry.host}/test/small:1`]);
    const contents = image.layers.map(({ directory }, position) =>
      readFileSync(join(directory, ['base', 'middle', 'top'][position]!), 'utf8'),
    );
    expect(contents).toEqual(['gzip', 'zstd', 'plain']);
  });

  test('one of Docker’s schema 2 comes as well', async () => {
    const stored = await scratch.pull(`${registry.host}/test/docker:1`);
    expect(stored.packed!.descriptor.mediaType).toBe(MEDIA_TYPES.dockerManifest);
    expect((await scratch.store.open(stored)).layers).toHaveLength(2);
  });

  test('a layer that is there twice is mounted once, where it counts', async () => {
    const image = await scratch.store.open(await scratch.pull(`${registry.host}/test/twice:1`));
    expect(image.layers.map(({ diffId }) => diffId)).toEqual([twice.layers[1]!.diffId, base.diffId]);
  });

  test('of several platforms the one that is asked for, and what is missing is told', async () => {
    const reference = `${registry.host}/test/multi:1`;
    expect((await scratch.pull(reference)).config.architecture).toBe('amd64');
    expect((await scratch.pull(reference, { platform: 'linux/arm64' })).config.architecture).toBe('arm64');
    await expect(scratch.pull(reference, { platform: 'linux/s390x' })).rejects.toMatchObject({
      code: 'image.no-such-platform',
      reference,
      hint: 'there are: linux/arm64, linux/amd64',
    });
    await expect(
      scratch.pull(`${registry.host}/test/small:1`, { platform: 'linux/arm64' }),
    ).rejects.toMatchObject({ code: 'image.no-such-platform' });
  });

  test('by digest of the manifest, of the index, and beside a tag that does not matter', async () => {
    const name = `${registry.host}/test/multi`;
    const index = digestOf(indexOf([arm, small]));
    for (const reference of [
      `${name}@${index}`,
      `${name}:gone@${index}`,
      `${name}@${digestOf(small.manifest)}`,
    ]) {
      const { id } = await scratch.pull(reference);
      expect(id).toBe(digestOf(small.config));
      expect(scratch.store.lookup(reference)?.id).toBe(id);
    }
  });

  test('skopeo reads the store, and what skopeo writes into it can be started from', async () => {
    const reference = `${registry.host}/test/small:1`;
    await scratch.pull(reference);
    const { layout } = scratch.store.paths;
    const inspected = JSON.parse(await skopeo('inspect', `oci:${layout}:${reference}`)) as {
      Layers: string[];
    };
    expect(inspected.Layers).toEqual(small.layers.map(({ blob }) => digestOf(blob)));
    await skopeoCopy(
      `docker://${registry.host}/test/docker:1`,
      `oci:${layout}:docker.io/library/from-skopeo:2`,
    );
    const image = await scratch.store.find('from-skopeo:2');
    expect(readFileSync(join(image!.layers[1]!.directory, 'base'), 'utf8')).toBe('gzip');
    expect(scratch.store.lookup(reference)?.id).toBe(digestOf(small.config));
  });

  test('a second pull of what has not changed asks for the manifest only', async () => {
    const reference = `${proxy.host}/test/small:1`;
    const first = await scratch.pull(reference);
    proxy.clear();
    expect((await scratch.pull(reference)).id).toBe(first.id);
    expect(proxy.seen.map(({ line }) => line)).toEqual(['GET /v2/', 'GET /v2/test/small/manifests/1']);
  });

  test('five pulls at once download every blob once', async () => {
    const reference = `${proxy.host}/test/small:1`;
    await Promise.all([1, 2, 3, 4, 5].map(() => scratch.pull(reference)));
    const blobs = proxy.seen.filter(({ line }) => line.includes('/blobs/')).map(({ line }) => line);
    expect(new Set(blobs).size).toBe(blobs.length);
    expect(blobs).toHaveLength(4);
  });

  test('progress is told layer by layer', async () => {
    const phases = new Map<string, Set<string>>();
    await scratch.pull(`${registry.host}/test/small:1`, {
      onProgress: ({ layer, phase }) => phases.set(layer, (phases.get(layer) ?? new Set()).add(phase)),
    });
    expect([...phases.keys()].sort()).toEqual(small.layers.map(({ blob }) => digestOf(blob)).sort());
    for (const seen of phases.values())
      expect([...seen]).toEqual(expect.arrayContaining(['download', 'done']));
  });

  test('an aborted pull ends with the reason and leaves no name', async () => {
    const reason = new Error('enough');
    const abort = new AbortController();
    proxy.fault(/GET .*\/blobs\//, () => abort.abort(reason), 9);
    await expect(scratch.pull(`${proxy.host}/test/small:1`, { signal: abort.signal })).rejects.toBe(reason);
    expect(scratch.store.list()).toEqual([]);
  });

  test('while an image is on its way, no garbage is collected', async () => {
    const home = resolveHome({ MAYFLY_HOME: join(scratch.directory, 'home') });
    const order: string[] = [];
    let collecting: Promise<unknown> | undefined;
    proxy.fault(
      /GET .*\/blobs\//,
      async ({ response, upstream }) => {
        collecting ??= collectGarbage(
          { store: scratch.store, home },
          { layersInUse: () => new Set(), keepCache: false },
        ).then(() => order.push('collected'));
        const { status, headers, body } = await upstream();
        response.writeHead(status, headers).end(body);
      },
      9,
    );
    await scratch.pull(`${proxy.host}/test/small:1`).then(() => order.push('pulled'));
    await collecting;
    expect(order).toEqual(['pulled', 'collected']);
    expect(await verifyStore(scratch.store)).toEqual([]);
    expect(scratch.store.layers.list()).toHaveLength(3);
  });

  test('a mirror is asked first, and the registry when the mirror fails', async () => {
    const config = { [registry.host]: { mirrors: ['http://127.0.0.1:1', `http://${proxy.host}`] } };
    await scratch.pull(`${registry.host}/test/small:1`, { config });
    expect(proxy.seen.length).toBeGreaterThan(0);
    proxy.clear();
    proxy.fault(/manifests/, ({ response }) => response.writeHead(404).end(), 9);
    expect((await scratch.pull(`${registry.host}/test/twice:1`, { config })).id).toBe(digestOf(twice.config));
    expect(proxy.seen.map(({ line }) => line)).toEqual(['GET /v2/test/twice/manifests/1']);
  });
});
