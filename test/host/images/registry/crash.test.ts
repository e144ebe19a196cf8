import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../../../src/images/digest.ts';
import { verifyStore } from '../../../../src/images/store/verify-store.ts';
import { startFixture } from '../../../fixtures/program.ts';
import type { FaultProxy } from '../../../fixtures/registry/fault-proxy.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../../../fixtures/registry/faulty-registry.ts';
import { imageOf, layerOf, tarOf } from '../../../fixtures/registry/image-layout.ts';
import { scratchStore } from '../../../fixtures/registry/pulling.ts';
import { requires } from '../../../requires.ts';

const MEBIBYTE = 1 << 20;
const layer = (name: string, size: number) =>
  layerOf(tarOf({ name, type: 'file', content: randomBytes(size) }));
/** 12 MiB as blobs, and as much again unpacked. */
const image = imageOf([layer('a', 6 * MEBIBYTE), layer('b', 6 * MEBIBYTE)]);

requires(
  'root',
  'docker-registry',
  'skopeo',
)('a pull that comes to a bad end', () => {
  let served: FaultyRegistry;
  let proxy: FaultProxy;
  let scratch: ReturnType<typeof scratchStore>;
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

  const start = (reference: string) => {
    const child = startFixture('registry/pull-victim.ts', [reference, scratch.directory]);
    child.stdout.resume();
    return child;
  };

  test.each([
    ['while a blob is on its way', /GET .*\/blobs\//],
    ['while the manifest is read', /GET .*\/manifests\//],
  ])('killed %s, the next one succeeds and nothing is damaged', async (_title, pattern) => {
    const reference = `${proxy.host}/app:1`;
    proxy.fault(pattern, async ({ response, upstream }) => {
      const { status, headers, body } = await upstream();
      response.writeHead(status, headers);
      response.write(body.subarray(0, body.length / 2), () => victim.kill('SIGKILL'));
    });
    const victim = start(reference);
    expect(await once(victim, 'exit')).toEqual([null, 'SIGKILL']);
    expect(scratch.store.list()).toEqual([]);
    expect(await verifyStore(scratch.store)).toEqual([]);
    expect((await scratch.pull(reference)).id).toBe(digestOf(image.config));
    expect(await verifyStore(scratch.store)).toEqual([]);
  });

  test('of four processes that want the same, each blob comes once', async () => {
    const reference = `${proxy.host}/app:1`;
    const codes = await Promise.all([1, 2, 3, 4].map(async () => (await once(start(reference), 'exit'))[0]));
    expect(codes).toEqual([0, 0, 0, 0]);
    const blobs = proxy.seen.map(({ line }) => line).filter((line) => line.includes('/blobs/'));
    expect(new Set(blobs).size).toBe(blobs.length);
    expect(await verifyStore(scratch.store)).toEqual([]);
  });

  // Blobs and layers grow together, so that either may be the one that finds no room.
  test.each([2, 8, 16])(
    'a disk with room for %i MiB is told, and with more the pull succeeds',
    async (size) => {
      const code = expect.stringMatching(/^(image|layer)\.no-space$/);
      const home = join(scratch.directory, 'home-on-tmpfs');
      mkdirSync(home);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'none', home]);
      try {
        const small = scratchStore(home);
        const filler = join(home, 'filler');
        writeFileSync(filler, Buffer.alloc((64 - size) * MEBIBYTE));
        const reference = `${served.registry.host}/app:1`;
        await expect(small.pull(reference)).rejects.toMatchObject({ code, reference });
        expect(small.store.list()).toEqual([]);
        expect(readdirSync(join(home, 'home/layers')).filter((name) => name.startsWith('tmp-'))).toEqual([]);
        writeFileSync(filler, '');
        expect(await verifyStore(small.store)).toEqual([]);
        expect((await small.pull(reference)).id).toBe(digestOf(image.config));
      } finally {
        execFileSync('umount', [home]);
      }
    },
  );
});
