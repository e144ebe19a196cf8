import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../../src/images/digest.ts';
import { importTarball } from '../../../src/images/import.ts';
import { collectGarbage } from '../../../src/images/store/collect-garbage.ts';
import { verifyStore } from '../../../src/images/store/verify-store.ts';
import { loadFromArchive } from '../../../src/images/transfer/load.ts';
import { saveToArchive } from '../../../src/images/transfer/save.ts';
import { resolveHome } from '../../../src/support/home.ts';
import { imageOf, layerOf, type TarEntry, tarOf, writeLayout } from '../../fixtures/registry/image-layout.ts';
import { type ScratchStore, scratchStore } from '../../fixtures/registry/pulling.ts';
import { skopeo, skopeoCopy } from '../../fixtures/registry/skopeo.ts';
import { requires } from '../../requires.ts';

const file = (name: string, content: string | Buffer): TarEntry => ({ name, type: 'file', content });
const image = imageOf([layerOf(tarOf(file('a', 'one'))), layerOf(tarOf(file('b', 'two')))], {
  config: { Cmd: ['x'] },
});

requires('root', 'skopeo')('archives of images', () => {
  let source: ScratchStore;
  let target: ScratchStore;
  let path: string;
  beforeEach(async () => {
    source = scratchStore();
    target = scratchStore();
    path = join(source.directory, 'archive.tar');
    const layout = join(source.directory, 'layout');
    writeLayout(layout, { image: [image] });
    await skopeoCopy(
      `oci:${layout}:image`,
      `oci:${source.store.paths.layout}:docker.io/library/app:1`,
      '--preserve-digests',
    );
  });
  afterEach(() => {
    source[Symbol.dispose]();
    target[Symbol.dispose]();
  });

  const save = (...names: string[]) =>
    saveToArchive(source.store, {
      images: names.map((name) => source.store.lookup(name)!),
      to: createWriteStream(path),
    });
  const load = (from: Readable | Buffer = createReadStream(path), overwrite = false) =>
    loadFromArchive(target.store, { from: Buffer.isBuffer(from) ? Readable.from([from]) : from, overwrite });

  test('what is saved can be loaded, and is the same', async () => {
    await source.store.tag(source.store.lookup('app:1')!, 'localhost:5000/other:2');
    await save('app:1', 'localhost:5000/other:2');
    const loaded = await load();
    expect(loaded.map(({ name }) => name)).toEqual(['docker.io/library/app:1', 'localhost:5000/other:2']);
    const opened = await target.store.find('app:1');
    expect(opened!.id).toBe(digestOf(image.config));
    expect(opened!.layers.map(({ diffId }) => diffId)).toEqual(image.layers.map(({ diffId }) => diffId));
    expect(await verifyStore(target.store)).toEqual([]);
  });

  test('skopeo reads it as docker-archive and as oci-archive', async () => {
    await save('app:1');
    const docker = JSON.parse(await skopeo('inspect', `docker-archive:${path}`)) as { Layers: string[] };
    expect(docker.Layers).toHaveLength(2);
    const oci = await skopeo('inspect', '--raw', `oci-archive:${path}:docker.io/library/app:1`);
    expect(oci).toBe(image.manifest.toString());
  });

  test.each([
    ['docker-archive', 'docker.io/library/skopeo:1'],
    ['oci-archive', 'docker.io/library/skopeo:1'],
  ])('what skopeo writes as %s is loaded', async (kind, name) => {
    await skopeoCopy(`oci:${source.store.paths.layout}:docker.io/library/app:1`, `${kind}:${path}:${name}`);
    expect((await load()).map((loaded) => loaded.name)).toEqual([name]);
    const opened = await target.store.find('skopeo:1');
    expect(readFileSync(join(opened!.layers[1]!.directory, 'b'), 'utf8')).toBe('two');
    expect(opened!.config.Cmd).toEqual(['x']);
  });

  test('a compressed one is loaded, and one of an imported image', async () => {
    await importTarball(source.store, Readable.from([tarOf(file('f', 'x'))]), { reference: 'imported:1' });
    await save('imported:1');
    await load(gzipSync(readFileSync(path)));
    expect((await target.store.find('imported:1'))!.layers).toHaveLength(1);
  });

  test.each([['imported:1'], ['app:1']])('%s saved, removed and loaded is the same image', async (name) => {
    await importTarball(source.store, Readable.from([tarOf(file('p/f', 'x'), file('a', 'a'))]), {
      reference: 'imported:1',
      config: { Env: ['A=b'], Cmd: ['x'] },
    });
    const before = source.store.lookup(name)!;
    await save(name);
    const digest = await digestIn(path);
    await source.store.remove(name);
    const home = resolveHome({ MAYFLY_HOME: join(source.directory, 'home') });
    await collectGarbage(
      { store: source.store, home },
      {
        layersInUse: () => new Set(),
        keepCache: false,
        untag: (all) => all.flatMap((image) => image.name ?? []),
      },
    );
    expect(source.store.list()).toEqual([]);
    await loadFromArchive(source.store, { from: createReadStream(path), overwrite: false });
    const after = source.store.lookup(name)!;
    expect(after.id).toBe(before.id);
    expect(after.packed!.descriptor.digest).toBe(digest);
    expect(before.packed?.descriptor.digest ?? digest).toBe(digest);
    expect(await verifyStore(source.store)).toEqual([]);
  });

  /** The digest of the one manifest in an archive. */
  async function digestIn(archive: string): Promise<string> {
    const { stdout } = await execa('tar', ['-xOf', archive, 'index.json']);
    return (JSON.parse(stdout) as { manifests: [{ digest: string }] }).manifests[0].digest;
  }

  test('a name that stands for another image here is not taken from it unasked', async () => {
    await save('app:1');
    await importTarball(target.store, Readable.from([tarOf(file('mine', 'x'))]), { reference: 'app:1' });
    const mine = target.store.lookup('app:1')!.id;
    await expect(load()).rejects.toMatchObject({ code: 'image.name-taken' });
    expect(target.store.lookup('app:1')!.id).toBe(mine);
    await load(createReadStream(path), true);
    expect(target.store.lookup('app:1')!.id).toBe(digestOf(image.config));
    await load();
  });

  const config = (diffId: string) =>
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } });
  const layer = tarOf(file('f', 'x'));
  const docker = (entry: object, ...entries: TarEntry[]) =>
    tarOf(
      ...entries,
      file(
        'manifest.json',
        JSON.stringify([{ Config: 'c.json', RepoTags: ['x:1'], Layers: ['l.tar'], ...entry }]),
      ),
    );
  const whole = [file('c.json', config(digestOf(layer))), file('l.tar', layer)];

  test('a layer that is a link to another, as old versions of Docker wrote them', async () => {
    const linked: TarEntry[] = [
      whole[0]!,
      file('a/layer.tar', layer),
      { name: 'b/layer.tar', type: 'symlink', linkname: '../a/layer.tar' },
    ];
    await load(docker({ Layers: ['b/layer.tar'] }, ...linked));
    expect((await target.store.find('x:1'))!.layers[0]!.diffId).toBe(digestOf(layer));
  });

  test.each<[string, () => Buffer, string]>([
    ['nothing', () => Buffer.alloc(0), 'image.bad-archive'],
    ['noise', () => Buffer.alloc(4096, 'x'), 'image.bad-archive'],
    ['the tar of a file system', () => tarOf(file('etc/passwd', 'x')), 'image.bad-archive'],
    ['half an archive', () => docker({}, ...whole).subarray(0, 2000), 'image.bad-archive'],
    ['a manifest that is no JSON', () => tarOf(file('manifest.json', '{')), 'image.bad-archive'],
    [
      'a manifest of five megabytes',
      () => tarOf(file('manifest.json', Buffer.alloc(5 << 20, ' '))),
      'image.bad-archive',
    ],
    [
      'a configuration outside of it',
      () => docker({ Config: '../../../etc/passwd' }, ...whole),
      'image.bad-archive',
    ],
    ['a layer outside of it', () => docker({ Layers: ['/etc/passwd'] }, ...whole), 'image.bad-archive'],
    [
      'a link out of it',
      () => docker({ Layers: ['h'] }, ...whole, { name: 'h', type: 'symlink', linkname: '/etc/passwd' }),
      'image.bad-archive',
    ],
    ['__proto__ as a layer', () => docker({ Layers: ['__proto__'] }, ...whole), 'image.bad-archive'],
    ['a name that is none', () => docker({ RepoTags: ['../x'] }, ...whole), 'image.bad-reference'],
    [
      'two layers where the configuration has one',
      () => docker({ Layers: ['l.tar', 'l.tar'] }, ...whole),
      'image.bad-manifest',
    ],
    [
      'another layer than the configuration says',
      () => docker({}, file('c.json', config(`sha256:${'a'.repeat(64)}`)), whole[1]!),
      'layer.diff-id-mismatch',
    ],
    ['a configuration that is none', () => docker({}, file('c.json', 'null'), whole[1]!), 'image.bad-config'],
    [
      'an index with a digest that is a path',
      () =>
        tarOf(
          file('oci-layout', '{}'),
          file(
            'index.json',
            JSON.stringify({ manifests: [{ mediaType: 'x', digest: 'sha256:../../x', size: 1 }] }),
          ),
        ),
      'image.bad-archive',
    ],
    [
      'an index that leads nowhere',
      () =>
        tarOf(
          file('oci-layout', '{}'),
          file(
            'index.json',
            JSON.stringify({ manifests: [{ mediaType: 'x', digest: digestOf('x'), size: 1 }] }),
          ),
        ),
      'image.corrupt',
    ],
  ])('refuses %s, and names nothing', async (_title, make, code) => {
    await expect(load(make())).rejects.toMatchObject({ code });
    expect(target.store.list()).toEqual([]);
    expect(await verifyStore(target.store)).toEqual([]);
  });
});
