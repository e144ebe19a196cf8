import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LayerStore, openLayerStore } from '../../../src/images/layers/layer-store.ts';
import { resolveHome } from '../../../src/support/home.ts';
import { watchChildren } from '../../fixtures/peaks.ts';
import { archive, extended, file, forged, record } from '../../fixtures/tar.ts';
import { requires } from '../../requires.ts';

/** MiB, of all that the process has that unpacks, Node itself included. */
const CEILING = 256;
const MIB = 1 << 20;

/** A gibibyte of it, piece by piece, after the beginning. */
function* gibibyte(beginning: Buffer, piece: Buffer): Generator<Buffer> {
  yield beginning;
  for (let sent = 0; sent < 1024 * MIB; sent += piece.length) yield piece;
}

const repeated = (block: Buffer) => Buffer.concat(Array<Buffer>(MIB / block.length).fill(block));

/** A block of a sparse map of the old format that says that a further one follows. */
function mapBlock(): Buffer {
  const block = Buffer.alloc(512);
  for (let at = 0; at < 21 * 24; at += 12) block.write('00000000000\0', at, 'latin1');
  block[504] = 1;
  return block;
}

const newSparse = extended(
  record('GNU.sparse.major', '1') + record('GNU.sparse.realsize', '0'),
  forged({ ...file('s'), size: 2 ** 33 - 1 }, {}),
);
const oldSparse = forged(
  { ...file('s'), size: 0 },
  { 156: 'S', 386: '00000000000\0'.repeat(8), 482: '\x01' },
);
const extension = (flag: string) => forged({ ...file('x'), size: 2 ** 33 - 1 }, { 156: flag });

const REFUSED: readonly [title: string, beginning: Buffer, piece: Buffer, message: RegExp][] = [
  ['a sparse map in its content', Buffer.concat([newSparse, Buffer.from('99999999\n')]), Buffer.alloc(MIB, '0\n'), /more than 65536 pieces/],
  ['a number in a sparse map', newSparse, Buffer.alloc(MIB, '1'), /more than 65536 pieces/],
  ['a sparse map of the old format', oldSparse, repeated(mapBlock()), /more than 65536 pieces/],
  ['an extended header', extension('x'), Buffer.alloc(MIB, '1'), /larger than 1 MiB/],
  ['a global extended header', extension('g'), Buffer.alloc(MIB, '1'), /larger than 1 MiB/],
  ['a long name', extension('L'), Buffer.alloc(MIB, 'n'), /larger than 1 MiB/],
]; // biome-ignore format: a table

requires('root')('a gibibyte that an archive asks to be remembered takes no memory', () => {
  let home: string;
  let store: LayerStore;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'mayfly-memory-'));
    store = openLayerStore(resolveHome({ MAYFLY_HOME: home }));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));
  const unpack = (beginning: Buffer, piece: Buffer) =>
    watchChildren(() => store.importTar(Readable.from(gibibyte(beginning, piece))));

  for (const [title, beginning, piece, message] of REFUSED)
    test(`as ${title} (CVE-2025-58183)`, async () => {
      const { outcome, peak } = await unpack(beginning, piece);
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'layer.refused', message: expect.stringMatching(message) },
      });
      expect(readdirSync(join(home, 'layers'))).toEqual([]);
      // It was seen at all.
      expect(peak).toBeGreaterThan(10);
      expect(peak).toBeLessThan(CEILING);
    });

  test('as padding after its end (CVE-2017-14992)', async () => {
    const { outcome, peak } = await unpack(archive(file('kept', 'content')), Buffer.alloc(MIB));
    if (outcome.status === 'rejected') throw outcome.reason;
    expect(readFileSync(join(outcome.value.directory, 'kept'), 'utf8')).toBe('content');
    expect(peak).toBeGreaterThan(10);
    expect(peak).toBeLessThan(CEILING);
  });
});
