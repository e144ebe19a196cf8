import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'; // biome-ignore format: one list
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../../src/images/digest.ts';
import { importTarball } from '../../../src/images/import.ts';
import { verifyStore } from '../../../src/images/store/verify-store.ts';
import { loadFromArchive } from '../../../src/images/transfer/load.ts';
import { saveToArchive } from '../../../src/images/transfer/save.ts';
import { type RealRegistry, startDockerRegistry } from '../../fixtures/registry/docker-registry.ts';
import { dockerArchive, imageOf, layerOf, tarOf } from '../../fixtures/registry/image-layout.ts';
import { type ScratchStore, scratchStore } from '../../fixtures/registry/pulling.ts';
import { requires } from '../../requires.ts';

const MEBIBYTE = 1 << 20;
/** 6 MiB as a blob, and as much again unpacked. */
const tar = tarOf({ name: 'f', type: 'file', content: randomBytes(6 * MEBIBYTE) });
const layer = layerOf(tar);
const image = imageOf([layer]);
const NAME = 'docker.io/library/app:1';

requires('root', 'docker-registry')('a disk that is full', () => {
  let registry: RealRegistry;
  let outside: ScratchStore;
  let home: string;
  let scratch: ScratchStore;
  beforeAll(async () => {
    registry = await startDockerRegistry();
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  beforeEach(async () => {
    outside = scratchStore();
    home = join(outside.directory, 'small');
    mkdirSync(home);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'none', home]);
    scratch = scratchStore(home);
  });
  afterEach(async () => {
    await execa('umount', [home]);
    outside[Symbol.dispose]();
  });

  /** Leaves so many bytes of the disk. */
  async function leave(bytes: number): Promise<void> {
    const { stdout } = await execa('stat', ['-fc', '%a %S', home]);
    const [blocks, size] = stdout.split(' ').map(Number) as [number, number];
    writeFileSync(join(home, 'filler'), Buffer.alloc(Math.max(0, blocks * size - bytes)));
  }
  const free = () => rmSync(join(home, 'filler'));
  const load = () =>
    loadFromArchive(scratch.store, { from: Readable.from([dockerArchive(image, NAME)]), overwrite: false });
  const imported = (reference: string) => importTarball(scratch.store, Readable.from([tar]), { reference });

  /** Looked at when there is room again, since a layer is unpacked once more for it. */
  async function expectWhole(...names: string[]): Promise<void> {
    expect(scratch.store.list().map(({ name }) => name)).toEqual(names);
    for (const directory of ['layers', 'images', 'images/oci', 'images/ingest', 'images/names'])
      expect(
        readdirSync(join(home, 'home', directory)).filter((name) => /^tmp-|^new-|\.new$/.test(name)),
      ).toEqual([]);
    expect(await verifyStore(scratch.store)).toEqual([]);
  }

  test('while an image is packed to be pushed, is told, and with room the push succeeds', async () => {
    const reference = `${registry.host}/app:1`;
    const { layers } = await imported(reference);
    await leave(3 * MEBIBYTE);
    await expect(scratch.push(reference)).rejects.toMatchObject({
      code: 'image.no-space',
      reference,
      layer: layers[0]!.diffId,
    });
    free();
    await expectWhole(reference);
    expect(await scratch.push(reference)).toMatch(/^sha256:/);
  });

  test('while an archive is written, is told, and the store has nothing to do with it', async () => {
    await importTarball(outside.store, Readable.from([tar]), { reference: NAME });
    await leave(3 * MEBIBYTE);
    const to = join(home, 'saved.tar');
    const saving = saveToArchive(outside.store, {
      images: [outside.store.lookup(NAME)!],
      to: createWriteStream(to),
    });
    await expect(saving).rejects.toMatchObject({ code: 'image.no-space', reference: NAME });
    expect(await verifyStore(outside.store)).toEqual([]);
    rmSync(to);
    free();
    await saveToArchive(outside.store, { images: [outside.store.lookup(NAME)!], to: createWriteStream(to) });
    expect(
      await loadFromArchive(scratch.store, { from: createReadStream(to), overwrite: false }),
    ).toHaveLength(1);
  });

  test.each([
    ['while a blob of an archive is kept', 3, { code: 'image.no-space' }],
    [
      'while a layer of an archive is unpacked',
      9,
      { code: 'layer.no-space', reference: NAME, layer: digestOf(layer.blob) },
    ],
  ])('%s, is told, and with room the same archive is loaded', async (_title, room, error) => {
    await leave(room * MEBIBYTE);
    await expect(load()).rejects.toMatchObject(error);
    free();
    await expectWhole();
    await load();
    await expectWhole(NAME);
  });

  test('while the index is written, is told, and the names are what they were', async () => {
    await load();
    await leave(0);
    const stored = scratch.store.lookup(NAME)!;
    await expect(scratch.store.tag(stored, 'other:1')).rejects.toMatchObject({ code: 'image.no-space' });
    expect(existsSync(scratch.store.paths.index)).toBe(true);
    free();
    await expectWhole(NAME);
    await scratch.store.tag(stored, 'other:1');
    await expectWhole(NAME, 'docker.io/library/other:1');
  });

  test('while the name or the configuration of an image that was made here is written', async () => {
    const { layers } = await imported(NAME);
    await leave(0);
    const stored = scratch.store.lookup(NAME)!;
    await expect(scratch.store.tag(stored, 'other:1')).rejects.toMatchObject({ code: 'image.no-space' });
    const put = scratch.store.put({ reference: NAME, config: { Cmd: ['other'] }, layers });
    await expect(put).rejects.toMatchObject({ code: 'image.no-space' });
    expect(scratch.store.lookup(NAME)!.id).toBe(stored.id);
    free();
    await expectWhole(NAME);
  });
});
