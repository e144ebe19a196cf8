import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { collectGarbage } from '../../../src/images/store/collect-garbage.ts';
import type { Image } from '../../../src/images/store/image.ts';
import { verifyStore } from '../../../src/images/store/verify-store.ts';
import { resolveHome } from '../../../src/support/home.ts';
import { imageOf, layerOf, type TarEntry, tarOf, writeLayout } from '../../fixtures/registry/image-layout.ts';
import { type ScratchStore, scratchStore } from '../../fixtures/registry/pulling.ts';
import { skopeoCopy } from '../../fixtures/registry/skopeo.ts';
import { requires } from '../../requires.ts';

const file = (name: string, content = name): TarEntry => ({ name, type: 'file', content, mode: 0o644 });
const directory = (name: string, details: Partial<TarEntry> = {}): TarEntry => ({
  name,
  type: 'directory',
  mode: 0o755,
  ...details,
});
const symlink = (name: string, linkname: string): TarEntry => ({ name, type: 'symlink', linkname });
const link = (name: string, linkname: string): TarEntry => ({ name, type: 'link', linkname });
const base = [
  directory('run'),
  directory('var'),
  symlink('var/run', '/run'),
  file('run/old'),
  file('run/gone'),
];

/** Layers, and where something has to be in the end; umoci says what else is there. */
const CASES: readonly [title: string, layers: readonly TarEntry[][], there: string][] = [
  ['a file behind an absolute link of a lower layer', [base, [file('var/run/x')]], 'run/x'],
  ['a file behind a relative link of a lower layer', [[directory('run'), directory('var'), symlink('var/run', '../run')], [file('var/run/x')]], 'run/x'],
  ['a file behind a link to the root', [[symlink('etc', '/')], [file('etc/x')]], 'x'],
  ['a file behind a link out of the root', [[symlink('etc', '../../../..')], [file('etc/x')]], 'x'],
  ['a file behind links to links', [[directory('c'), symlink('a', 'b'), symlink('b', '/c')], [file('a/d/e/x')]], 'c/d/e/x'],
  ['a file behind a link that leads nowhere', [[symlink('a', '/b/c')], [file('a/x')]], 'b/c/x'],
  ['a file behind a link two layers below', [base, [file('other')], [file('var/run/x')]], 'run/x'],
  ['a file behind a link behind a link', [[directory('b'), symlink('a', '/b'), symlink('b/c', '/d')], [file('a/c/x')]], 'd/x'],
  ['files on both sides of a link', [base, [file('run/y'), file('var/run/x'), directory('var/run/d', { mode: 0o700 }), file('var/run/d/z')]], 'run/d/z'],
  ['a hard link behind a link', [base, [file('var/run/x'), link('var/run/h', 'var/run/x')]], 'run/h'],
  ['a whiteout behind a link', [base, [file('var/run/.wh.gone', ''), file('var/run/x')]], 'run/x'],
  ['a link that a layer between has made a directory', [base, [directory('var/run'), file('var/run/w')], [file('var/run/x')]], 'var/run/x'],
  ['a link that a layer between has removed', [base, [file('var/.wh.run', '')], [file('var/run/x')]], 'var/run/x'],
  ['a link that the layer itself makes a directory', [base, [directory('var/run'), file('var/run/x')]], 'var/run/x'],
  ['a link that is another one by now', [base, [directory('new'), symlink('var/run', '/new')], [file('var/run/x')]], 'new/x'],
  ['a link of the layer itself into a lower one', [[directory('lib', { mode: 0o711, uid: 3 })], [symlink('l', 'lib'), file('l/x')]], 'lib/x'],
  ['what below is open to all', [[directory('tmp', { mode: 0o1777 }), directory('home', { mode: 0o750, uid: 7, gid: 8 })], [file('tmp/x'), file('home/a/b')]], 'tmp/x'],
  ['what is open to all behind a link', [[directory('t', { mode: 0o1777 }), symlink('tmp', 't')], [file('tmp/x')]], 't/x'],
  ['names that are no UTF-8', [[directory('r\xff'), symlink('l\xfe', 'r\xff')], [file('l\xfe/x')]], 'r\xff/x'],
]; // biome-ignore format: a table

requires(
  'root',
  'umoci',
  'skopeo',
)('layers whose entries go where lower layers lead', () => {
  let scratch: ScratchStore;
  beforeEach(() => {
    scratch = scratchStore();
  });
  afterEach(() => scratch[Symbol.dispose]());

  const layout = () => join(scratch.directory, 'layout');
  const tar = (entries: readonly TarEntry[]) => layerOf(tarOf(...entries));
  async function opened(name: string, layers: readonly TarEntry[][]): Promise<Image> {
    writeLayout(layout(), { [name]: [imageOf(layers.map(tar))] });
    await skopeoCopy(`oci:${layout()}:${name}`, `oci:${scratch.store.paths.layout}:docker.io/library/${name}:1`, '--preserve-digests');
    return (await scratch.store.find(`${name}:1`))!;
  } // biome-ignore format: commands
  const layersOnDisk = () =>
    readdirSync(resolveHome({ MAYFLY_HOME: join(scratch.directory, 'home') }).layers);

  /** What is in a tree; of directories neither size nor time, which is the merging file system's affair. */
  async function treeOf(root: string): Promise<string[]> {
    const [others, directories, sums] = await Promise.all([
      execa('find', ['.', '!', '-type', 'd', '-printf', '%p %y %m %U:%G %T@ %n %s %l\\n'], { cwd: root, encoding: 'latin1' }),
      execa('find', ['.', '-mindepth', '1', '-type', 'd', '-printf', '%p %y %m %U:%G\\n'], { cwd: root, encoding: 'latin1' }),
      execa('find', ['.', '-type', 'f', '-exec', 'md5sum', '{}', '+'], { cwd: root, encoding: 'latin1' }),
    ]);
    return [others, directories, sums].flatMap(({ stdout }) => stdout.split('\n')).toSorted();
  } // biome-ignore format: commands

  async function merged<T>({ layers }: Image, look: (root: string) => Promise<T>): Promise<T> {
    const root = join(scratch.directory, 'merged');
    mkdirSync(root, { recursive: true });
    const empty = join(scratch.directory, 'empty');
    mkdirSync(empty, { recursive: true });
    const lower = [...layers.map(({ directory: path }) => path).toReversed(), empty].join(':');
    await execa('mount', ['-t', 'overlay', '-o', `lowerdir=${lower}`, 'none', root]);
    try {
      return await look(root);
    } finally {
      await execa('umount', [root]);
    }
  }

  describe('as umoci has it', () => {
    for (const [title, layers, there] of CASES)
      test(title, async () => {
        const image = await opened('app', layers);
        const bundle = join(scratch.directory, 'bundle');
        await execa('umoci', ['unpack', '--image', `${layout()}:app`, bundle]);
        const theirs = await treeOf(join(bundle, 'rootfs'));
        await merged(image, async (root) => {
          expect(existsSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from(there, 'latin1')]))).toBe(
            true,
          );
          expect(await treeOf(root)).toEqual(theirs);
        });
        expect(await verifyStore(scratch.store)).toEqual([]);
        // The same again, without anything made.
        const before = layersOnDisk();
        expect(await scratch.store.find('app:1')).toEqual(image);
        expect(layersOnDisk()).toEqual(before);
      });
  });

  test('a planted link leads nowhere on the host', async () => {
    const victim = join(scratch.directory, 'victim');
    mkdirSync(victim);
    const image = await opened('app', [[symlink('etc', victim), symlink('up', `${'../'.repeat(20)}${victim}`)], [file('etc/x'), file('up/y')]]);
    expect(readdirSync(victim)).toEqual([]);
    expect(readdirSync(join(image.layers[1]!.directory, victim)).sort()).toEqual(['x', 'y']);
  }); // biome-ignore format: a table

  test('a loop of planted links is refused, and nothing is left over', async () => {
    const opening = opened('app', [[symlink('a', 'b'), symlink('b', 'a')], [file('a/x')]]);
    await expect(opening).rejects.toMatchObject({
      code: 'layer.refused',
      message: expect.stringContaining('ELOOP'),
    });
    expect(layersOnDisk().filter((name) => name.startsWith('tmp-'))).toEqual([]);
    expect(await verifyStore(scratch.store)).toEqual([]);
  });

  test('a layer is shared wherever it means the same, and what was made for one image goes with it', async () => {
    const top = [file('var/run/x')];
    const linked = await opened('linked', [base, top]);
    const plain = await opened('plain', [[file('other')], top]);
    const again = await opened('again', [[...base, file('more')], top]);
    expect(linked.layers[1]!.diffId).not.toBe(plain.layers[1]!.diffId);
    expect(plain.layers[1]!.diffId).toBe(tar(top).diffId);
    expect(again.layers[1]).toEqual(linked.layers[1]);
    expect(readFileSync(join(plain.layers[1]!.directory, 'var/run/x'), 'utf8')).toBe('var/run/x');
    expect(lstatSync(join(linked.layers[1]!.directory, 'var')).isDirectory()).toBe(true);

    const home = resolveHome({ MAYFLY_HOME: join(scratch.directory, 'home') });
    const inUse = new Set<string>();
    const collect = () =>
      collectGarbage({ store: scratch.store, home }, { layersInUse: () => inUse, keepCache: false });
    expect(await collect()).toMatchObject({ layers: 0 });
    const made = linked.layers[1]!.diffId;
    await scratch.store.remove('linked:1');
    await collect();
    expect(scratch.store.layers.get(made)).toBeDefined();
    await scratch.store.remove('again:1');
    inUse.add(made);
    await collect();
    expect(scratch.store.layers.get(made)).toBeDefined();
    inUse.clear();
    await collect();
    expect(scratch.store.layers.get(made)).toBeUndefined();
    expect(scratch.store.layers.get(plain.layers[1]!.diffId)).toBeDefined();
    expect(await verifyStore(scratch.store)).toEqual([]);
  });
});
