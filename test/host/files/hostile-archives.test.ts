import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'; // biome-ignore format: one list
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LayerStore, openLayerStore } from '../../../src/images/layers/layer-store.ts';
import { type Container, startContainer } from '../../../src/index.ts';
import { resolveHome } from '../../../src/support/home.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import {
  archive,
  device,
  directory,
  type Entry,
  extended,
  file,
  forged,
  link,
  record,
  symlink,
} from '../../fixtures/tar.ts';
import { requires } from '../../requires.ts';

/** What the host has that no archive may touch; its path is the same in the archives of every case. */
const VICTIM = join(tmpdir(), 'mayfly-victim');

/** `refused`: an error and nothing of a layer; `contained`: unpacked, with what is asked for in `inside`. */
type Outcome = { readonly refused: RegExp } | { readonly inside: Readonly<Record<string, string>> };
type Case = readonly [title: string, tar: Buffer | (() => Buffer), layer: Outcome, copy?: Outcome];

const refused = (message: RegExp): Outcome => ({ refused: message });
const contained = (inside: Readonly<Record<string, string>> = {}): Outcome => ({ inside });
const up = '../'.repeat(12);
const evil = 'evil';
/** Gives the links to the victim a place to lead to inside. */
const own = directory(VICTIM);
const fifo = (name: string): Entry => ({ name, type: 'fifo' });

const CASES: readonly Case[] = [
  // Names.
  ['a name that leads upwards', archive(file(`${up}${VICTIM}/hello`, evil)), refused(/leads upwards/)],
  ['a name that leads upwards from within', archive(file(`a/../..${VICTIM}/hello`, evil)), refused(/leads upwards/)],
  ['the parent itself', archive(directory('..')), refused(/leads upwards/)],
  ['an absolute name', archive(file(`${VICTIM}/hello`, evil)), contained({ [`.${VICTIM}/hello`]: evil })],
  ['a name in PAX that leads upwards', Buffer.concat([extended(record('path', '../x'), archive(file('x')))]), refused(/leads upwards/)],
  ['a path of 5000 characters', archive(file('long/'.repeat(1000), evil)), refused(/too long/)],
  ['a name of 256 characters', archive(file('n'.repeat(256))), refused(/too long/)],
  ['a name that is no UTF-8', archive(file('raw\xff\xfe', 'raw')), contained()],
  ['a name that begins like the directory', archive(file('../fs-evil/x', evil)), refused(/leads upwards/)],
  // Symbolic links.
  ['the root as a link', archive(symlink('.', VICTIM), file('hello', evil)), refused(/root of the archive/)],
  ['the root as a link, spelled /', archive(symlink('/', VICTIM), file('hello', evil)), refused(/root of the archive/)],
  ['the root as a file', archive(file('.', evil)), refused(/root of the archive/)],
  ['a file through an absolute link', archive(own, symlink('out', VICTIM), file('out/hello', evil)), contained({ [`.${VICTIM}/hello`]: evil }), contained()],
  ['a file through a relative link', archive(own, symlink('out', `${up}${VICTIM}`), file('out/hello', evil)), contained({ [`.${VICTIM}/hello`]: evil }), contained()],
  ['a file through two links', archive(own, symlink('a', '/'), symlink('b', `a${VICTIM}`), file('b/hello', evil)), contained({ [`.${VICTIM}/hello`]: evil }), contained()],
  ['a loop of links', archive(symlink('a', 'b'), symlink('b', 'a'), file('a/x', evil)), refused(/ELOOP|ENOENT|EEXIST|ENOTDIR/)],
  ['a file over a link to outside', archive(symlink('hello', `${VICTIM}/hello`), file('hello', 'inside')), contained({ hello: 'inside' })],
  ['a directory over a link to outside', archive(symlink('d', VICTIM), directory('d', { mode: 0o777 }), file('d/hello', 'inside')), contained({ 'd/hello': 'inside' }), refused(/no directory/)],
  ['a directory that becomes a link between two entries', archive(own, directory('d'), file('d/a', 'a'), symlink('d', VICTIM), file('d/hello', evil)), contained(), refused(/is a directory/)],
  // Hard links.
  ['a hard link upwards', archive(link('h', `${up}${VICTIM}/hello`)), refused(/leads upwards/)],
  ['a hard link to a file of the working directory', archive(link('h', 'hello')), refused(/hard link to/)],
  ['an absolute hard link, which is meant from the root', archive(file('etc-x', 'mine'), link('h', '/etc-x')), contained({ h: 'mine' })],
  ['a hard link through a link to outside', archive(symlink('l', VICTIM), link('h', 'l/hello')), refused(/hard link to/)],
  ['a hard link to a link, then a file in its place with another mode', archive(symlink('l', `${VICTIM}/hello`), link('h', 'l'), file('h', 'inside', { mode: 0o777 })), contained({ h: 'inside' })],
  ['a hard link to itself', archive(link('h', 'h')), refused(/hard link to/)],
  ['a hard link to a directory', archive(directory('d'), link('h', 'd')), refused(/hard link to/)],
  ['a hard link to nothing', archive(link('h', 'nothing')), refused(/hard link to/)],
  // Whiteouts: for a copy they are names like any other.
  ['a whiteout of nothing', archive(file('.wh.', '')), refused(/no valid whiteout/), contained()],
  ['a whiteout of the directory itself', archive(file('.wh..', '')), refused(/no valid whiteout/), contained()],
  ['a whiteout of the parent', archive(file('.wh...', '')), refused(/no valid whiteout/), contained()],
  ['a whiteout of a whiteout', archive(file('.wh..wh.x', '')), refused(/no valid whiteout/), contained()],
  ['a whiteout through a link to outside', archive(own, symlink('l', VICTIM), file('l/.wh.hello', '')), contained(), contained()],
  ['an opaque mark through a link to outside', archive(own, symlink('l', VICTIM), file('l/.wh..wh..opq', '')), contained(), contained()],
  ['an opaque mark after what it would hide', archive(file('o/new', 'new'), file('o/.wh..wh..opq', '')), contained({ 'o/new': 'new' })],
  ['a whiteout in disguise', archive(device('w', [0, 0])), refused(/whiteout in disguise/)],
  ['attributes of overlay', archive({ ...directory('d'), xattrs: new Map([['trusted.overlay.opaque', Buffer.from('y')], ['trusted.overlay.redirect', Buffer.from(VICTIM)], ['user.overlay.opaque', Buffer.from('y')]]) }), contained()],
  // Other entries.
  ['a device beyond all numbers', archive(device('d', [5000, 1])), refused(/no device/)],
  ['a negative device', Buffer.concat([forged(device('d', [1, 1]), { 329: Buffer.alloc(8, 0xff) }), Buffer.alloc(1024)]), refused(/no device|no user/)],
  ['a file over a FIFO, which nobody opens', archive(fifo('f'), file('f', 'inside')), contained({ f: 'inside' })],
  ['the same file twice', archive(file('f', 'first'), file('f', 'second')), contained({ f: 'second' })],
  ['a file below a file', archive(file('f', 'x'), file('f/x', evil)), refused(/ENOTDIR|EEXIST/)],
  ['an attribute larger than can be', archive({ ...file('f', 'x'), xattrs: new Map([['user.big', Buffer.alloc(70_000, 'x')]]) }), refused(/user.big|too large/)],
  ['a malformed capability', archive({ ...file('f', 'x'), xattrs: new Map([['security.capability', Buffer.from('none')]]) }), refused(/security.capability/)],
  ['an owner beyond all numbers', Buffer.concat([extended(record('uid', '4294967295'), archive(file('f')))]), refused(/no user/)],
  ['a sparse file of 8 EiB', Buffer.concat([extended(record('GNU.sparse.major', '1') + record('GNU.sparse.realsize', String(2 ** 53 - 1)), forged({ ...file('s'), size: 512 }, {})), Buffer.concat([Buffer.from('0\n'), Buffer.alloc(510)]), Buffer.alloc(1024)]), refused(/EFBIG/)],
  // Streams.
  ['a truncated gzip', () => gzipSync(archive(file('f', 'x'.repeat(5000)))).subarray(0, 60), refused(/gzip stream is damaged or truncated/)],
  ['a gzip with a changed byte', () => { const gzip = gzipSync(archive(file('f', createHash('sha512').digest('hex').repeat(50)))); gzip[80]! ^= 1; return gzip; }, refused(/gzip stream|damaged|no tar/)],
  ['a truncated zstd', () => execFileSync('zstd', ['--stdout'], { input: archive(file('f', 'x'.repeat(5000))) }).subarray(0, 40), refused(/zstd stream is damaged or truncated/)],
  ['a zstd that asks for a gigabyte of memory', () => execFileSync('zstd', ['--stdout', '--long=30'], { input: archive(file('f', 'x'.repeat(5000))) }), refused(/too much memory/)],
  ['a gigabyte of zeros in a small gzip', () => bomb((bytes) => gzipSync(bytes)), refused(/grow to more than/)],
  ['a gigabyte of zeros in a small zstd', () => bomb((bytes) => execFileSync('zstd', ['--stdout'], { input: bytes, maxBuffer: 1 << 25 })), refused(/grow to more than/)],
]; // biome-ignore format: a table

/** Both formats may be joined piece by piece. */
function bomb(compress: (bytes: Buffer) => Buffer): Buffer {
  const zeros = compress(Buffer.alloc(16 << 20));
  const header = archive({ ...file('zeros', ''), size: 1 << 30 }).subarray(0, 512);
  return Buffer.concat([compress(header), ...Array<Buffer>(64).fill(zeros), compress(Buffer.alloc(1024))]);
}

requires(
  'root',
  'mmdebstrap',
  'zstd',
)('hostile archives', () => {
  let before: string;
  let cwd: string;
  beforeAll(() => {
    rmSync(VICTIM, { recursive: true, force: true });
    mkdirSync(VICTIM);
    writeFileSync(join(VICTIM, 'hello'), 'untouched');
    before = fingerprint();
    // Whoever resolves a name against the working directory finds the victim there.
    cwd = process.cwd();
    process.chdir(VICTIM);
  });
  afterAll(() => {
    process.chdir(cwd);
    rmSync(VICTIM, { recursive: true });
  });
  afterEach(() => expect(fingerprint()).toBe(before));

  function fingerprint(): string {
    return JSON.stringify(
      ['.', ...readdirSync(VICTIM)].map((name) => {
        const { mode, uid, gid, ino, nlink, mtimeMs, ctimeMs } = lstatSync(join(VICTIM, name));
        return [
          name,
          mode,
          uid,
          gid,
          ino,
          nlink,
          mtimeMs,
          name === '.' ? '' : ctimeMs,
          name === '.' ? '' : readFileSync(join(VICTIM, name), 'utf8'),
        ];
      }),
    );
  }

  const bytesOf = (tar: Case[1]) => (typeof tar === 'function' ? tar() : tar);

  describe('as layers', () => {
    let home: string;
    let store: LayerStore;
    beforeEach(() => {
      home = mkdtempSync(join(tmpdir(), 'mayfly-hostile-'));
      store = openLayerStore(resolveHome({ MAYFLY_HOME: home }));
    });
    afterEach(() => rmSync(home, { recursive: true, force: true }));

    for (const [title, tar, outcome] of CASES)
      test(title, async () => {
        const unpacking = store.importTar(Readable.from([bytesOf(tar)]));
        if ('refused' in outcome) {
          await expect(unpacking).rejects.toMatchObject({
            code: 'layer.refused',
            message: expect.stringMatching(outcome.refused),
          });
          expect(readdirSync(join(home, 'layers'))).toEqual([]);
          return;
        }
        const { directory: root } = await unpacking;
        for (const [path, content] of Object.entries(outcome.inside))
          expect(readFileSync(join(root, path), 'utf8')).toBe(content);
      });

    test('a full disk is an error of its own and leaves nothing', async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', join(home, 'layers')]);
      try {
        const tar = archive(file('a', 'x'), file('big', 'x'.repeat(4 << 20)));
        await expect(store.importTar(Readable.from([tar]))).rejects.toMatchObject({ code: 'layer.no-space' });
        expect(readdirSync(join(home, 'layers'))).toEqual([]);
      } finally {
        execFileSync('umount', [join(home, 'layers')]);
      }
    });
  });

  describe('as copies', () => {
    let box: Container;
    beforeAll(async () => {
      box = await startContainer({ image: await debian(), command: ['sleep', 'infinity'], stopTimeout: 0 });
    });
    afterAll(() => box.stop());

    for (const [title, tar, asLayer, outcome = asLayer] of CASES)
      test(title, async () => {
        await box.exec(['sh', '-c', `rm -rf /w ${VICTIM} && mkdir -p /w ${VICTIM}`]);
        const copying = box.copyTo('/w', { tar: bytesOf(tar) });
        if ('refused' in outcome) {
          await expect(copying).rejects.toMatchObject({
            code: expect.stringMatching(
              /^copy\.(refused|not-a-directory|is-a-directory|no-such-path|failed)$/,
            ),
          });
          return;
        }
        await copying;
        for (const [path, content] of Object.entries(outcome.inside))
          expect((await box.exec(['cat', path], { cwd: '/w' })).stdout).toBe(content);
      });
  });

  test('a link that one layer plants leads the next one nowhere', async () => {
    const { layers } = openEngineImages();
    const name = `planted-${process.pid}`;
    const lower = await layers.importTar(Readable.from([archive(symlink(name, VICTIM))]));
    const upper = await layers.importTar(Readable.from([archive(file(`${name}/hello`, 'inside'))]));
    const image = await debian();
    await using box = await startContainer({
      image: { ...image, layers: [...image.layers, lower, upper] },
      stopTimeout: 0,
    });
    expect(await box.copyFrom(`/${name}/hello`).text()).toBe('inside');
    expect(existsSync(join(lower.directory, name, 'hello'))).toBe(true);
    expect(readFileSync(join(VICTIM, 'hello'), 'utf8')).toBe('untouched');
  });

  function openEngineImages(): { layers: LayerStore } {
    return { layers: openLayerStore(resolveHome({ MAYFLY_HOME: TEST_HOME })) };
  }
});
