import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { importTarball } from '../../../src/images/import.ts';
import { verifyStore } from '../../../src/images/store/verify-store.ts';
import { loadFromArchive } from '../../../src/images/transfer/load.ts';
import { dockerArchive, imageOf, layerOf, tarOf } from '../../fixtures/registry/image-layout.ts';
import { type ScratchStore, scratchStore } from '../../fixtures/registry/pulling.ts';
import { archive, file } from '../../fixtures/tar.ts';
import { requires } from '../../requires.ts';

const tar = tarOf({ name: 'f', type: 'file', content: 'content'.repeat(1000) });
const compress = (program: string) => (input: Buffer) =>
  execFileSync(program, ['-c'], { input, maxBuffer: 1 << 26 });

requires('root')('archives that take a program of the host', () => {
  let scratch: ScratchStore;
  beforeEach(() => {
    scratch = scratchStore();
  });
  afterEach(() => scratch[Symbol.dispose]());

  const read = async (name: string) =>
    readFileSync(join((await scratch.store.find(name))!.layers[0]!.directory, 'f'), 'utf8');
  const load = (bytes: Buffer) =>
    loadFromArchive(scratch.store, { from: Readable.from([bytes]), overwrite: false });
  const bring = (bytes: Buffer) =>
    importTarball(scratch.store, Readable.from([bytes]), { reference: 'app:1' });

  test.each(['xz', 'bzip2'])('%s: imported, loaded, and as a layer of docker-archive', async (program) => {
    await bring(compress(program)(tar));
    const inside = dockerArchive(imageOf([layerOf(tar, { compress: compress(program) })]), 'inside:1');
    await load(inside);
    await load(compress(program)(dockerArchive(imageOf([layerOf(tar)]), 'whole:1')));
    for (const name of ['app:1', 'inside:1', 'whole:1'])
      expect(await read(name)).toBe('content'.repeat(1000));
    expect(await verifyStore(scratch.store)).toEqual([]);
  });

  test.each(['xz', 'bzip2'])('%s: truncated, it is refused', async (program) => {
    const half = compress(program)(tar).subarray(0, 60);
    await expect(bring(half)).rejects.toMatchObject({
      code: 'layer.refused',
      message: expect.stringContaining(`the ${program} stream is damaged or truncated`),
    });
    await expect(load(half)).rejects.toMatchObject({ code: 'image.bad-archive' });
    expect(readdirSync(join(scratch.directory, 'home/layers'))).toEqual([]);
    expect(await verifyStore(scratch.store)).toEqual([]);
  });

  test('a bomb of xz is refused', async () => {
    // Streams of xz may be joined, and so may what they hold.
    const zeros = compress('xz')(Buffer.alloc(64 << 20));
    const header = archive({ ...file('zeros', ''), size: 1 << 30 }).subarray(0, 512);
    const begin = compress('xz')(header);
    const bomb = Buffer.concat([begin, ...Array<Buffer>(8).fill(zeros)]);
    await expect(bring(bomb)).rejects.toMatchObject({
      code: 'layer.refused',
      message: expect.stringContaining('of xz grow to more than'),
    });
    expect(readdirSync(join(scratch.directory, 'home/layers'))).toEqual([]);
  });

  test('without the program it says which one it takes', async () => {
    const bytes = compress('xz')(tar);
    const { PATH } = process.env;
    process.env.PATH = '/nonexistent';
    try {
      await expect(bring(bytes)).rejects.toMatchObject({
        code: 'layer.unsupported-compression',
        message: expect.stringContaining('takes the program xz'),
      });
    } finally {
      process.env.PATH = PATH;
    }
  });
});
