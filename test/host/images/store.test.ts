import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../../src/images/digest.ts';
import { importTarball } from '../../../src/images/import.ts';
import { collectGarbage, type Roots } from '../../../src/images/store/collect-garbage.ts';
import { openImageStore } from '../../../src/images/store/image-store.ts';
import { verifyStore } from '../../../src/images/store/verify-store.ts';
import { resolveHome } from '../../../src/support/home.ts';
import { imageOf, layerOf, tarOf, writeLayout } from '../../fixtures/registry/image-layout.ts';
import { type ScratchStore, scratchStore } from '../../fixtures/registry/pulling.ts';
import { skopeoCopy } from '../../fixtures/registry/skopeo.ts';
import { requires } from '../../requires.ts';

const tar = (name: string) => tarOf({ name, type: 'file', content: name });
const shared = layerOf(tar('shared'));
const one = imageOf([shared, layerOf(tar('one'))]);
const two = imageOf([shared, layerOf(tar('two'))]);

requires('root', 'skopeo')('the store of images', () => {
  let scratch: ScratchStore;
  beforeEach(async () => {
    scratch = scratchStore();
    const layout = join(scratch.directory, 'layout');
    writeLayout(layout, { one: [one], two: [two] });
    for (const name of ['one', 'two'])
      await skopeoCopy(
        `oci:${layout}:${name}`,
        `oci:${scratch.store.paths.layout}:docker.io/library/${name}:1`,
        '--preserve-digests',
      );
    for (const name of ['one:1', 'two:1']) await scratch.store.find(name);
  });
  afterEach(() => scratch[Symbol.dispose]());

  const home = () => resolveHome({ MAYFLY_HOME: join(scratch.directory, 'home') });
  const collect = (roots: Partial<Roots> = {}) =>
    collectGarbage(
      { store: scratch.store, home: home() },
      { layersInUse: () => new Set(), keepCache: true, ...roots },
    );
  const diffIds = () =>
    scratch.store.layers
      .list()
      .map(({ diffId }) => diffId)
      .sort();
  const diffIdsOf = (...images: (typeof one)[]) =>
    [...new Set(images.flatMap(({ layers }) => layers.map(({ diffId }) => diffId)))].sort();

  test('while everything has a name, nothing is garbage', async () => {
    expect(await collect()).toEqual({ names: [], blobs: 0, layers: 0, bytes: 0 });
    expect(await verifyStore(scratch.store)).toEqual([]);
  });

  test('with a name goes what nothing else needs', async () => {
    expect(await scratch.store.remove('one:1')).toBe(true);
    expect(await scratch.store.remove('one:1')).toBe(false);
    expect(await collect()).toMatchObject({ blobs: 3, layers: 1 });
    expect(diffIds()).toEqual(diffIdsOf(two));
    expect((await scratch.store.find('two:1'))!.id).toBe(digestOf(two.config));
    expect(await verifyStore(scratch.store)).toEqual([]);
  });

  test('layers of containers and of the cache stay', async () => {
    for (const name of ['one:1', 'two:1']) await scratch.store.remove(name);
    const [used, cached] = [one.layers[1]!.diffId, two.layers[1]!.diffId];
    mkdirSync(join(home().cache, 'boot'), { recursive: true });
    writeFileSync(join(home().cache, 'boot/x.json'), JSON.stringify({ diffId: cached }));
    await collect({ layersInUse: () => new Set([used]) });
    expect(diffIds()).toEqual([used, cached].sort());
    await collect({ keepCache: false });
    expect(diffIds()).toEqual([]);
    expect(scratch.store.blobs.list()).toEqual([]);
  });

  test('an image that was made here is garbage when its name is gone, and so is what was packed of it', async () => {
    await importTarball(scratch.store, Readable.from([tar('mine')]), { reference: 'mine:1' });
    const { packImage } = await import('../../../src/images/store/pack-image.ts');
    await packImage(scratch.store, scratch.store.lookup('mine:1')!);
    expect(await collect()).toMatchObject({ blobs: 0, layers: 0 });
    await scratch.store.remove('mine:1');
    expect(await collect()).toMatchObject({ blobs: 3, layers: 1 });
    expect(await verifyStore(scratch.store)).toEqual([]);
  });

  test('nothing is collected while somebody holds the store', async () => {
    await scratch.store.remove('one:1');
    const hold = await scratch.store.hold();
    let collected = false;
    const collecting = collect().then(() => {
      collected = true;
    });
    await scratch.store.find('two:1');
    expect(collected).toBe(false);
    expect(diffIds()).toEqual(diffIdsOf(one, two));
    hold.release();
    await collecting;
    expect(diffIds()).toEqual(diffIdsOf(two));
  });

  test('what killed processes left on the way in is swept, and is never a blob', async () => {
    writeFileSync(join(scratch.store.paths.ingest, `sha256-${'a'.repeat(64)}`), 'half');
    expect(await verifyStore(scratch.store)).toEqual([]);
    await collect();
    expect(readdirSync(scratch.store.paths.ingest)).toEqual([]);
  });

  test('names: one of an image made here and one of a pulled image follow each other', async () => {
    await importTarball(scratch.store, Readable.from([tar('mine')]), { reference: 'one:1' });
    expect(scratch.store.lookup('one:1')!.packed).toBeUndefined();
    await scratch.store.tag(scratch.store.lookup('two:1')!, 'one:1');
    expect(scratch.store.lookup('one:1')!.id).toBe(digestOf(two.config));
    expect(scratch.store.list().filter(({ name }) => name === 'docker.io/library/one:1')).toHaveLength(1);
    await expect(
      scratch.store.tag(scratch.store.lookup('two:1')!, `x@${digestOf('x')}`),
    ).rejects.toMatchObject({ code: 'image.bad-reference' });
  });

  test('a name with a digest is not given to an image that is made here either', async () => {
    const layers = [scratch.store.layers.list()[0]!];
    const put = scratch.store.put({ reference: `mine@${digestOf('x')}`, config: {}, layers });
    await expect(put).rejects.toMatchObject({ code: 'image.bad-reference' });
    expect(scratch.store.local.ids()).toEqual([]);
    expect(scratch.store.local.names()).toEqual([]);
  });

  test('an image is found by its id, whole or the begin of it', async () => {
    const id = digestOf(one.config);
    for (const text of [id, id.slice(7), id.slice(7, 19), id.slice(0, 20)])
      expect(scratch.store.lookup(text)!.id).toBe(id);
    expect(scratch.store.lookup(id.slice(7, 17))).toBeUndefined();
  });

  test('many names at once are all there', async () => {
    const image = scratch.store.lookup('one:1')!;
    const names = Array.from({ length: 20 }, (_, number) => `many:${number}`);
    await Promise.all(names.map((name) => openImageStore(home()).tag(image, name)));
    for (const name of names) expect(scratch.store.lookup(name)!.id).toBe(image.id);
  });

  test('a home of mayfly 0.1 goes on working', async () => {
    const image = await importTarball(scratch.store, Readable.from([tar('old')]), {
      reference: 'temporary:1',
    });
    const record = JSON.stringify({ config: { Cmd: ['old'] }, layers: [image.layers[0]!.diffId] });
    const id = digestOf(record);
    writeFileSync(join(home().images, 'configs', `${id.slice(7)}.json`), record);
    writeFileSync(
      join(home().images, 'names', `${encodeURIComponent('docker.io/library/old:1')}.json`),
      JSON.stringify({ id }),
    );
    const found = await scratch.store.find('old:1');
    expect(found).toMatchObject({ id, config: { Cmd: ['old'] } });
    await scratch.store.remove('temporary:1');
    await collect();
    expect(existsSync(found!.layers[0]!.directory)).toBe(true);
  });
});
