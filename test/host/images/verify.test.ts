import { appendFileSync, chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'; // biome-ignore format: one list
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/images/digest.ts';
import { importTarball } from '../../../src/images/import.ts';
import type { StoreProblem } from '../../../src/images/store/problem.ts';
import { verifyStore } from '../../../src/images/store/verify-store.ts';
import { loadFromArchive } from '../../../src/images/transfer/load.ts';
import { mayfly } from '../../fixtures/cli.ts';
import { dockerArchive, imageOf, layerOf, tarOf } from '../../fixtures/registry/image-layout.ts';
import { type ScratchStore, scratchStore } from '../../fixtures/registry/pulling.ts';
import { requires } from '../../requires.ts';

const tar = (name: string) => tarOf({ name, type: 'file', content: name });
const shared = layerOf(tar('shared'));
const [ONE, TWO, MINE] = ['one', 'two', 'mine'].map((name) => `docker.io/library/${name}:1`) as [
  string,
  string,
  string,
];
const one = imageOf([shared, layerOf(tarOf({ name: 'implied/one', type: 'file', content: 'one' }))]);
const two = imageOf([shared, layerOf(tar('two'))]);
const [ownBlob, ownLayer] = [digestOf(one.layers[1]!.blob), one.layers[1]!.diffId];

requires('root')('a store that was damaged', () => {
  let template: ScratchStore;
  let scratch: ScratchStore;
  beforeAll(async () => {
    template = scratchStore();
    const { store } = template;
    for (const [name, image] of [
      [ONE, one],
      [TWO, two],
    ] as const)
      await loadFromArchive(store, {
        from: Readable.from([dockerArchive(image, name)]),
        overwrite: false,
      });
    await importTarball(store, Readable.from([tar('mine')]), { reference: 'mine:1' });
  });
  afterAll(() => template[Symbol.dispose]());
  beforeEach(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mayfly-verify-'));
    await execa('cp', ['-a', join(template.directory, 'home'), directory]);
    scratch = scratchStore(directory);
  });
  afterEach(() => scratch[Symbol.dispose]());

  const blob = (digest: string) => scratch.store.paths.blob(digest);
  const layer = (diffId: string) => scratch.store.layers.get(diffId)!.directory;
  const names = () => scratch.store.list().map(({ name }) => name);
  const found = async () =>
    (await verifyStore(scratch.store)).map(({ what, code }) => `${code} ${what}`).sort();
  const manifestOf = (name: string) => scratch.store.lookup(name)!.packed!.descriptor.digest;
  const idOfMine = () => scratch.store.lookup(MINE)!.id;

  function flip(path: string): void {
    const bytes = readFileSync(path);
    const middle = bytes.length >> 1;
    bytes[middle]! ^= 1;
    writeFileSync(path, bytes);
  }
  function editIndex(edit: (entries: Record<string, unknown>[]) => unknown[]): void {
    const index = JSON.parse(readFileSync(scratch.store.paths.index, 'utf8')) as {
      manifests: Record<string, unknown>[];
    };
    writeFileSync(scratch.store.paths.index, JSON.stringify({ ...index, manifests: edit(index.manifests) }));
  }

  test('one that is whole has no problems, in its own words and on the command line', async () => {
    expect(await found()).toEqual([]);
    const env = { MAYFLY_HOME: join(scratch.directory, 'home') };
    expect(await mayfly(['images', '--verify'], { env })).toEqual({
      exitCode: 0,
      stdout: 'nothing is damaged',
      stderr: '',
    });
    flip(blob(ownBlob));
    expect(await mayfly(['images', '--verify'], { env })).toEqual({
      exitCode: 1,
      stdout: `image.corrupt  ${ownBlob}  its content has another digest`,
      stderr: '',
    });
  });

  describe('of blobs and layers', () => {
    test.each<[string, () => void, () => string[]]>([
      ['a flipped byte in a blob', () => flip(blob(ownBlob)), () => [`image.corrupt ${ownBlob}`]],
      ['a blob that is gone', () => rmSync(blob(ownBlob)), () => [`image.corrupt ${ONE}`]],
      ['a blob that is too short', () => truncateSync(blob(ownBlob), 10), () => [`image.corrupt ${ONE}`, `image.corrupt ${ownBlob}`]],
      ['a blob that is too long', () => appendFileSync(blob(ownBlob), 'x'), () => [`image.corrupt ${ONE}`, `image.corrupt ${ownBlob}`]],
      ['a file that is no blob', () => writeFileSync(join(scratch.store.paths.blobs, 'sha256/x'), ''), () => [`image.corrupt ${join(scratch.store.paths.blobs, 'sha256/x')}`]],
      ['a file of a pulled layer that has changed', () => writeFileSync(join(layer(ownLayer), 'implied/one'), 'eno'), () => [`layer.corrupt ${ownLayer}`]],
      ['a mode of a pulled layer that has changed', () => chmodSync(join(layer(ownLayer), 'implied/one'), 0o4755), () => [`layer.corrupt ${ownLayer}`]],
      ['a file of a pulled layer that is gone', () => rmSync(join(layer(ownLayer), 'implied/one')), () => [`layer.corrupt ${ownLayer}`]],
      ['a file too many in an imported layer', () => writeFileSync(join(layer(digestOf(tar('mine'))), 'more'), ''), () => [`layer.corrupt ${digestOf(tar('mine'))}`]],
      ['a tree that is gone', () => rmSync(layer(ownLayer), { recursive: true }), () => [`layer.corrupt ${ownLayer}`]],
      ['half a record of a layer', () => truncateSync(join(layer(ownLayer), '../layer.json'), 20), () => [`layer.corrupt ${dirname(layer(ownLayer))}`]],
      ['an imported layer that is gone', () => rmSync(dirname(layer(digestOf(tar('mine')))), { recursive: true }), () => [`image.corrupt ${MINE}`]],
    ])('%s is found, and all images are still listed', async (_title, damage, expected) => {
      const wanted = expected().sort();
      damage();
      expect(await found()).toEqual(wanted);
      expect(names()).toEqual([ONE, TWO, MINE]);
    }); // biome-ignore format: a table
  });

  describe('of images', () => {
    test.each<[string, () => string[], (string | undefined)[]]>([
      ['a flipped byte in a manifest', () => { const digest = manifestOf(ONE); flip(blob(digest)); return [`image.corrupt ${ONE}`, `image.corrupt ${digest}`]; }, [TWO, MINE]],
      ['a manifest that is gone', () => { rmSync(blob(manifestOf(ONE))); return [`image.corrupt ${ONE}`]; }, [TWO, MINE]],
      ['a configuration that is gone', () => { rmSync(blob(digestOf(one.config))); return [`image.corrupt ${ONE}`]; }, [TWO, MINE]],
      ['a manifest of another type', () => { editIndex(([first, ...rest]) => [{ ...first, mediaType: 'text/html' }, ...rest]); return [`image.unsupported-manifest ${ONE}`]; }, [TWO, MINE]],
      ['an entry with another size', () => { editIndex(([first, ...rest]) => [{ ...first, size: 7 }, ...rest]); return [`image.corrupt ${ONE}`]; }, [ONE, TWO, MINE]],
      ['an entry with a digest that is a path', () => { editIndex(([first, ...rest]) => [{ ...first, digest: 'sha256:../../x' }, ...rest]); return ['image.corrupt sha256:../../x']; }, [TWO, MINE]],
      ['an entry that is none', () => { editIndex(([, ...rest]) => [null, ...rest]); return ['image.corrupt entry 0 of index.json']; }, [TWO, MINE]],
      ['half an index', () => { truncateSync(scratch.store.paths.index, 100); return [`image.corrupt ${scratch.store.paths.index}`]; }, [MINE]],
      ['a name that leads nowhere', () => { rmSync(join(scratch.store.paths.configs, `${idOfMine().slice(7)}.json`)); return [`image.corrupt ${MINE}`]; }, [ONE, TWO]],
      ['half a name', () => { truncateSync(join(scratch.store.paths.names, `${encodeURIComponent(MINE)}.json`), 9); return [`image.corrupt ${MINE}`]; }, [ONE, TWO, undefined]],
      ['a configuration of an imported image that has changed', () => { const id = idOfMine(); flip(join(scratch.store.paths.configs, `${id.slice(7)}.json`)); return [`image.corrupt ${MINE}`, `image.corrupt ${id}`]; }, [ONE, TWO]],
    ])('%s is found, and the other images are listed', async (_title, damage, listed) => {
      // This process has read everything already; what it finds is on disk.
      const fresh = scratchStore(scratch.directory);
      const expected = damage();
      expect(await found()).toEqual(expected.sort());
      const problems: StoreProblem[] = [];
      expect(fresh.store.list((problem) => problems.push(problem)).map(({ name }) => name)).toEqual(listed);
      expect(problems.length > 0).toBe(listed.length !== 3 || listed.includes(undefined));
    }); // biome-ignore format: a table
  });

  test('the command line lists the other images, says which one is left out, and takes its name away', async () => {
    const env = { MAYFLY_HOME: join(scratch.directory, 'home') };
    renameSync(blob(manifestOf(ONE)), join(scratch.directory, 'moved'));
    const { exitCode, stdout, stderr } = await mayfly(['images', '--format', '{{.Repository}}'], { env });
    expect({ exitCode, names: stdout.split('\n').sort() }).toEqual({ exitCode: 0, names: ['mine', 'two'] });
    expect(stderr).toMatch(
      /^mayfly: the image docker\.io\/library\/one:1 is left out: the blob sha256:.* it is not there$/,
    );
    expect(await mayfly(['rmi', 'one:1'], { env })).toMatchObject({ exitCode: 0 });
    expect(await mayfly(['images', '--verify'], { env })).toMatchObject({ exitCode: 0 });
    expect(await mayfly(['images', '--format', '{{.Repository}}'], { env })).toMatchObject({ stderr: '' });
  });

  test('an entry that nobody can read stays in the index when others come and go', async () => {
    editIndex((entries) => [{ digest: 'md5:1' }, ...entries]);
    await scratch.store.tag(scratch.store.lookup(TWO)!, 'three:1');
    await scratch.store.remove(ONE);
    expect(names()).toEqual([TWO, 'docker.io/library/three:1', MINE]);
    expect(await found()).toEqual(['image.corrupt md5:1']);
  });

  test('a layer that a container stands on and that is gone is a problem, though no image needs it', async () => {
    const gone = digestOf('gone');
    const problems = await verifyStore(scratch.store, { layersInUse: new Set([gone, ownLayer]) });
    expect(problems).toMatchObject([{ code: 'layer.gone', what: gone }]);
  });
});
