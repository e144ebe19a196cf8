import { mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Container,
  loadImages,
  pruneSnapshots,
  saveImages,
  startContainer,
} from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const MIB = 1 << 20;

describeOn('xfs');
describeOn('btrfs');

/** File systems whose files can share extents. Each is in a file of its own, with a home on it. */
function describeOn(type: 'xfs' | 'btrfs'): void {
  requires(
    'root',
    'mmdebstrap',
    'losetup',
    `mkfs.${type}`,
  )(`snapshots on ${type}`, () => {
    let scratch: string;
    let disk: string;
    beforeAll(async () => {
      scratch = mkdtempSync(join(tmpdir(), `mayfly-${type}-`));
      const image = join(scratch, 'image.tar');
      await debian();
      await saveImages('test/debian:bookworm', image);
      writeFileSync(join(scratch, 'disk'), '');
      truncateSync(join(scratch, 'disk'), 1024 * MIB);
      await execa(`mkfs.${type}`, ['-q', join(scratch, 'disk')]);
      disk = join(scratch, 'mounted');
      mkdirSync(disk);
      await execa('mount', ['-o', 'loop', join(scratch, 'disk'), disk]);
      process.env.MAYFLY_HOME = join(disk, 'home');
      await loadImages(image);
    });
    afterAll(async () => {
      process.env.MAYFLY_HOME = TEST_HOME;
      // Whatever was left there would not let it go.
      await execa('umount', [disk]);
      rmSync(scratch, { recursive: true });
    });

    const sh = async (box: Container, script: string) => (await box.exec(['sh', '-ec', script])).stdout;
    const used = () => {
      const { blocks, bfree, bsize } = statfsSync(disk);
      return ((blocks - bfree) * bsize) / MIB;
    };

    test('share what the container has written until either writes', async () => {
      {
        await using box = await startContainer({
          image: 'test/debian:bookworm',
          command: ['sleep', 'infinity'],
          stopTimeout: 0,
        });
        await sh(box, 'head -c 100M /dev/urandom > /large; echo before > /small; sync -f /large');
        const digest = await sh(box, 'sha256sum /large');
        const before = used();
        await using snapshot = await box.snapshot();
        expect(snapshot.method).toBe('reflink');
        await sh(box, 'sync -f /large');
        expect(used() - before).toBeLessThan(20);
        await sh(
          box,
          'dd if=/dev/zero of=/large bs=1M count=10 conv=notrunc status=none; echo after > /small',
        );
        await using copy = await snapshot.start();
        expect(await sh(copy, 'sha256sum /large; cat /small')).toBe(`${digest}before\n`);
        await box.restore(snapshot);
        expect(await sh(box, 'sha256sum /large; cat /small')).toBe(`${digest}before\n`);
        await snapshot.keepSpares(1);
        await sh(box, 'echo again > /small');
        await box.restore(snapshot);
        expect(await sh(box, 'cat /small')).toBe('before\n');
      }
      await pruneSnapshots({ olderThan: 0 });
      await expectNoLeaks(join(disk, 'home'));
    });
  });
}
