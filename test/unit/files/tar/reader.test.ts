import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, linkSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync, writeSync } from 'node:fs'; // biome-ignore format: one list
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { END_OF_ARCHIVE, encodeHeader } from '../../../../src/files/tar/encode.ts';
import { nameBytes, type TarEntry } from '../../../../src/files/tar/entry.ts';
import { TarReader } from '../../../../src/files/tar/reader.ts';
import { archive, directory, extended, file, forged, record } from '../../../fixtures/tar.ts';

/** In pieces of an odd size, because no stream keeps to blocks. */
async function* inPieces(bytes: Buffer, size = 700): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(tar: Buffer): Promise<(TarEntry & { content: Buffer })[]> {
  const reader = new TarReader(inPieces(tar));
  const entries: (TarEntry & { content: Buffer })[] = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const content = Buffer.alloc(Math.min(entry.size, 8 << 20));
    for await (const { offset, bytes } of reader.content()) bytes.copy(content, offset);
    entries.push({ ...entry, content });
  }
  return entries;
}

describe('what GNU tar writes', () => {
  let root: string;
  const long = `${'long-name-'.repeat(12)}/${'and-longer-'.repeat(15)}`;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'mayfly-tar-'));
    mkdirSync(join(root, 'd'));
    writeFileSync(join(root, 'd/f'), 'content');
    chmodSync(join(root, 'd/f'), 0o640);
    utimesSync(join(root, 'd/f'), 1, 1_700_000_000.25);
    symlinkSync('f', join(root, 'd/l'));
    linkSync(join(root, 'd/f'), join(root, 'd/z'));
    const fd = openSync(join(root, 'holes'), 'w');
    for (let i = 0; i < 60; i++) writeSync(fd, `piece ${i}`, i * 65536);
    closeSync(fd);
    truncateSync(join(root, 'holes'), 60 * 65536);
  });
  afterAll(() => rmSync(root, { recursive: true }));
  const gnu = (...options: string[]) =>
    execFileSync('tar', ['-C', root, '-cf', '-', '--sort=name', ...options], { maxBuffer: 64 << 20 });

  test.each(['v7', 'ustar', 'gnu', 'oldgnu', 'posix'])('in the format %s', async (format) => {
    const entries = await read(gnu(`--format=${format}`, 'd'));
    expect(
      entries.map(({ type, name, linkname, content }) => [type, name, linkname, content.toString()]),
    ).toEqual([
      ['directory', 'd/', '', ''],
      ['file', 'd/f', '', 'content'],
      ['symlink', 'd/l', 'f', ''],
      ['link', 'd/z', 'd/f', ''],
    ]);
    expect(entries[1]).toMatchObject({ mode: 0o640, uid: process.getuid?.(), size: 7 });
    expect(entries[1]!.mtime).toBe(
      format === 'posix' ? 1_700_000_000_250_000_000n : 1_700_000_000n * 10n ** 9n,
    );
  });

  test.each(['gnu', 'oldgnu', 'posix'])('long names and targets in the format %s', async (format) => {
    mkdirSync(join(root, long), { recursive: true });
    symlinkSync(long, join(root, long, 'l'));
    const entries = await read(gnu(`--format=${format}`, long));
    expect(entries.map(({ name, linkname }) => [name, linkname])).toEqual([
      [`${long}/`, ''],
      [`${long}/l`, long],
    ]);
    rmSync(join(root, long), { recursive: true });
  });

  test.each([
    ['--format=gnu'],
    ['--format=posix', '--sparse-version=0.0'],
    ['--format=posix', '--sparse-version=0.1'],
    ['--format=posix', '--sparse-version=1.0'],
  ])('sparse files, %s %s', async (...options) => {
    const [entry] = await read(gnu('--sparse', ...options.filter((option) => option !== undefined), 'holes'));
    expect(entry).toMatchObject({ name: 'holes', size: 60 * 65536 });
    expect(entry!.data!.length).toBeGreaterThan(50);
    const expected = Buffer.alloc(60 * 65536);
    for (let i = 0; i < 60; i++) expected.write(`piece ${i}`, i * 65536);
    expect(entry!.content.equals(expected)).toBe(true);
  });

  test('attributes and names whose bytes are no UTF-8', async () => {
    const value = Buffer.from([1, 0, 0, 2, 0xff, 0x80, 0xc3, 0]);
    const header = encodeHeader({
      type: 'directory',
      name: 'd\xff/',
      xattrs: new Map([['security.capability', value]]),
    });
    const [entry] = await read(Buffer.concat([header, END_OF_ARCHIVE]));
    expect(entry!.xattrs.get('security.capability')).toEqual(value);
    expect(nameBytes(entry!.name)).toEqual(Buffer.from([0x64, 0xff, 0x2f]));
  });
});

test('numbers in base 256, times before 1970, sizes that PAX says', async () => {
  const big = forged(directory('d'), {
    108: Buffer.from([0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xfe]),
    136: Buffer.alloc(12, 0xff),
  });
  expect((await read(Buffer.concat([big, END_OF_ARCHIVE])))[0]).toMatchObject({
    uid: 0x7ffffffe,
    mtime: -(10n ** 9n),
  });
  expect((await read(archive({ ...file('old'), mtime: -1_500_000_000n })))[0]).toMatchObject({
    mtime: -1_500_000_000n,
  });
});

test('an entry that hides in the content of another stays hidden, whatever size ustar names (CVE-2025-62518)', async () => {
  const hidden = archive(file('hidden', 'evil')).subarray(0, 1024);
  const tar = Buffer.concat([
    extended(record('size', String(hidden.length)), forged({ ...file('cover'), size: 0 }, {})),
    hidden,
    archive(file('after', 'x')),
  ]);
  expect((await read(tar)).map(({ name, size }) => [name, size])).toEqual([
    ['cover', 1024],
    ['after', 1],
  ]);
  expect(execFileSync('tar', ['-tf', '-'], { input: tar, encoding: 'utf8' })).toBe('cover\nafter\n');
});

test('what follows the end is no part of it, as GNU tar and Go have it', async () => {
  const tar = Buffer.concat([archive(file('a')), archive(file('b'))]);
  expect((await read(tar)).map(({ name }) => name)).toEqual(['a']);
  expect(execFileSync('tar', ['-tf', '-'], { input: tar, encoding: 'utf8' })).toBe('a\n');
});

const block = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc(512 - text.length)]);
const sparse = (map: string, real: string, content: Buffer) =>
  extended(
    record('GNU.sparse.major', '1') +
      record('GNU.sparse.minor', '0') +
      record('GNU.sparse.name', 's') +
      record('GNU.sparse.realsize', real),
    Buffer.concat([
      encodeHeader({ type: 'file', name: 's', size: block(map).length + content.length }),
      block(map),
      content,
    ]),
  );
const malformed: [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['no tar', Buffer.alloc(2048, 'no tar at all')],
  ['a wrong sum', Buffer.concat([Buffer.from(encodeHeader(file('a'))).fill('x', 0, 3), END_OF_ARCHIVE])],
  ['a missing end', archive(file('a', 'x')).subarray(0, 1024)],
  ['a negative size', forged(file('a'), { 124: Buffer.alloc(12, 0xff) })],
  [
    'a size beyond all numbers',
    forged(file('a'), { 124: Buffer.from([0x80, 0x7f, ...Array<number>(10).fill(0xff)]) }),
  ],
  ['a size that is no number', forged(file('a'), { 124: '12x4567890\0' })],
  ['an unknown type', forged(file('a'), { 156: 'M' })],
  [
    'an owner that chown takes for none',
    forged(directory('d'), { 108: Buffer.from([0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]) }),
  ],
  ['an extended header that promises too much', forged({ ...file('x'), size: 2 << 20 }, { 156: 'x' })],
  [
    'an extended header without an entry',
    Buffer.concat([extended(record('path', 'a'), Buffer.alloc(0)), END_OF_ARCHIVE]),
  ],
  [
    'a long name without an entry',
    Buffer.concat([forged({ ...file('L'), size: 0 }, { 156: 'L' }), END_OF_ARCHIVE]),
  ],
  ['a record longer than its header', extended('99 path=a\n', archive(file('a')))],
  ['a record without a length', extended(' path=a\n', archive(file('a')))],
  ['a record of length 0', extended('0 path=a\n', archive(file('a')))],
  ['a name with NUL', extended(record('path', 'a\0b'), archive(file('a')))],
  ['a negative size in PAX', extended(record('size', '-1'), archive(file('a')))],
  ['a time that is none', extended(record('mtime', 'yesterday'), archive(file('a')))],
  ['pieces that overlap', sparse('2\n0\n10\n5\n10\n', '100', Buffer.alloc(20))],
  ['pieces beyond the end', sparse('1\n90\n20\n', '100', Buffer.alloc(20))],
  ['pieces that do not fit the content', sparse('1\n0\n10\n', '100', Buffer.alloc(20))],
  ['more pieces than there can be', sparse('99999999\n', '100', Buffer.alloc(20))],
  ['a map that never ends', sparse('1'.repeat(500), '100', Buffer.alloc(2000, '1'))],
];
test.each(malformed)('%s is refused', async (_title, tar) => {
  await expect(read(tar)).rejects.toMatchObject({ code: 'file.refused' });
});

test('a tar that ends anywhere before its end is refused, and one with any byte changed is read or refused', async () => {
  const tar = Buffer.concat([
    extended(record('mtime', '1.5'), archive(file('a', 'x'.repeat(600)), directory('d'))),
  ]);
  for (let length = 0; length < tar.length - 512; length += 64)
    await expect(read(tar.subarray(0, length))).rejects.toMatchObject({ code: 'file.refused' });
  for (let at = 0; at < tar.length; at += 7) {
    const changed = Buffer.from(tar);
    changed[at]! ^= 0x91;
    await read(changed).catch((error: unknown) => expect(error).toMatchObject({ code: 'file.refused' }));
  }
});
