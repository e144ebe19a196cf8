import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { END_OF_ARCHIVE, type EntryHeader, encodeHeader, padding } from '../../../src/files/tar/encode.ts';
import { type LayerStore, openLayerStore } from '../../../src/images/layers/layer-store.ts';
import { resolveHome } from '../../../src/support/home.ts';
import { requires } from '../../requires.ts';

type Entry = Omit<EntryHeader, 'mtime' | 'size'> & { readonly content?: string };

const date = new Date('2026-11-24T10:00:00Z');
const mtime = BigInt(date.getTime()) * 1_000_000n;

function archive(...entries: Entry[]): Buffer {
  const parts = entries.flatMap(({ content = '', ...header }) => [
    encodeHeader({ ...header, mtime, size: content.length }),
    Buffer.from(content),
    padding(content.length),
  ]);
  return Buffer.concat([...parts, END_OF_ARCHIVE]);
}

const file = (name: string, content = 'x', mode = 0o644): Entry => ({ name, type: 'file', content, mode });
const symlink = (name: string, linkname: string): Entry => ({ name, type: 'symlink', linkname });
const directory = (name: string): Entry => ({ name, type: 'directory', mode: 0o755 });

requires('root')('unpacking a layer', () => {
  let scratch: string;
  let store: LayerStore;
  let victim: string;
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'mayfly-unpack-'));
    store = openLayerStore(resolveHome({ MAYFLY_HOME: join(scratch, 'home') }));
    victim = join(scratch, 'victim');
    mkdirSync(victim);
    writeFileSync(join(victim, 'hello'), 'untouched');
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  const unpack = (...entries: Entry[]) => store.importTar(Readable.from([archive(...entries)]));
  const leftovers = () => readdirSync(join(scratch, 'home/layers')).filter((name) => name.startsWith('tmp-'));

  test('files, directories, links, devices, owners, modes and times', async () => {
    const layer = await unpack(
      { ...directory('d'), mode: 0o750 },
      { ...file('d/setuid', 'hello', 0o4755), uid: 7, gid: 8 },
      symlink('l', 'd/setuid'),
      { name: 'hard', type: 'link', linkname: './d/setuid' },
      { name: 'fifo', type: 'fifo' },
      { name: 'null', type: 'character-device', devmajor: 1, devminor: 3, mode: 0o666 },
    );
    const at = (path: string) => join(layer.directory, path);
    expect(statSync(at('d')).mode & 0o7777).toBe(0o750);
    expect(statSync(at('d')).mtime).toEqual(date);
    expect(lstatSync(at('d/setuid'))).toMatchObject({ uid: 7, gid: 8, size: 5, nlink: 2, mtime: date });
    expect(statSync(at('d/setuid')).mode & 0o7777).toBe(0o4755);
    expect(readlinkSync(at('l'))).toBe('d/setuid');
    expect(statSync(at('fifo')).isFIFO()).toBe(true);
    expect(statSync(at('null')).rdev).toBe(0x103);
    expect(layer.size).toBe(5);
  });

  test('the diffID is the digest of the plain tar, compressed or not, and the layer is stored once', async () => {
    const tar = archive(file('a'));
    const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
    const [plain, zipped] = await Promise.all([
      store.importTar(Readable.from([tar])),
      store.importTar(Readable.from([gzipSync(tar)])),
    ]);
    expect([plain.diffId, zipped.diffId]).toEqual([diffId, diffId]);
    expect(readdirSync(join(scratch, 'home/layers'))).toEqual([diffId.slice(7, 31)]);
    expect(store.get(diffId)).toEqual(plain);
  });

  test('whiteouts become overlay’s', async () => {
    const layer = await unpack(
      file('a/.wh.gone', ''),
      directory('o'),
      file('o/.wh..wh..opq', ''),
      file('o/new'),
    );
    expect(statSync(join(layer.directory, 'a/gone'))).toMatchObject({ rdev: 0 });
    expect(statSync(join(layer.directory, 'a/gone')).isCharacterDevice()).toBe(true);
    expect(existsSync(join(layer.directory, 'o/new'))).toBe(true);
  });

  test('a committed upper has the diffID of its tar', async () => {
    const layer = await unpack(
      directory('d'),
      file('d/f', 'content'),
      file('d/.wh.gone', ''),
      symlink('l', 'd'),
    );
    const again = join(scratch, 'upper');
    await import('node:fs/promises').then(({ cp }) =>
      cp(layer.directory, again, {
        recursive: true,
        verbatimSymlinks: true,
        preserveTimestamps: true,
        filter: (path) => !path.endsWith('gone'),
      }),
    );
    const committed = await store.commitUpper(again);
    expect(committed.diffId).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(existsSync(again)).toBe(false);
    expect(readFileSync(join(committed.directory, 'd/f'), 'utf8')).toBe('content');
  });

  const escapes: [string, Entry[]][] = [
    ['a name that leads upwards', [file('../../victim/hello', 'overwritten')]],
    ['a name that leads upwards from within', [file('a/../../../victim/hello', 'overwritten')]],
    ['a hard link upwards', [{ name: 'h', type: 'link', linkname: '../../../victim/hello' }]],
    ['a whiteout of the parent', [file('.wh...', '')]],
    ['a whiteout in disguise', [{ name: 'w', type: 'character-device', devmajor: 0, devminor: 0 }]],
    ['a hard link to nothing', [{ name: 'h', type: 'link', linkname: 'nothing' }]],
  ];
  test.each(escapes)('%s is refused, and no half of a layer is left', async (_title, entries) => {
    await expect(unpack(file('before'), ...entries)).rejects.toThrow();
    expect(readdirSync(join(scratch, 'home/layers'))).toEqual([]);
    expect(readFileSync(join(victim, 'hello'), 'utf8')).toBe('untouched');
  });

  const contained: [string, () => Entry[], string][] = [
    [
      'a file through an absolute link',
      () => [symlink('out', victim), file('out/hello', 'overwritten')],
      'hello',
    ],
    [
      'a file through a relative link',
      () => [symlink('out', `../../../..${victim}`), file('out/hello', 'overwritten')],
      'hello',
    ],
    [
      'a file through two links',
      () => [symlink('a', '/'), symlink('b', `a${victim}`), file('b/hello', 'overwritten')],
      'hello',
    ],
    ['a link as the root', () => [symlink('.', victim), file('hello', 'overwritten')], 'hello'],
    [
      'an absolute hard link',
      () => [file('etc/passwd', 'mine'), { name: 'h', type: 'link', linkname: '/etc/passwd' }],
      'h',
    ],
    [
      'a file over a link to outside',
      () => [symlink('hello', join(victim, 'hello')), file('hello', 'inside')],
      'hello',
    ],
  ];
  test.each(contained)('%s stays inside', async (_title, entries) => {
    await unpack(...entries()).catch(() => {});
    expect(readFileSync(join(victim, 'hello'), 'utf8')).toBe('untouched');
    expect(readdirSync(victim)).toEqual(['hello']);
    expect(leftovers()).toEqual([]);
  });

  test('an archive that breaks off, or is none, is refused', async () => {
    const whole = archive(file('a', 'x'.repeat(5000)));
    await expect(store.importTar(Readable.from([whole.subarray(0, 2000)]))).rejects.toThrow();
    await expect(store.importTar(Readable.from([Buffer.alloc(5000, 'not a tar')]))).rejects.toThrow();
    await expect(store.importTar(Readable.from([Buffer.from('BZh91AY&SY')]))).rejects.toMatchObject({
      code: 'layer.unsupported-compression',
    });
    expect(readdirSync(join(scratch, 'home/layers'))).toEqual([]);
  });

  test('what a killed process left half done is swept by the next one', async () => {
    const layers = join(scratch, 'home/layers');
    mkdirSync(join(layers, 'tmp-dead/fs'), { recursive: true });
    writeFileSync(join(layers, 'tmp-dead.lock'), '');
    await unpack(file('a'));
    expect(leftovers()).toEqual([]);
  });
});
