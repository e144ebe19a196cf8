import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { pruneSnapshots, type Snapshot, startContainer } from '../../../src/index.ts';
import { isMayflyError } from '../../../src/support/error.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

requires('root', 'mmdebstrap')('a container on snapshots of snapshots', () => {
  beforeAll(async () => {
    await debian();
    await pruneSnapshots({ olderThan: 0 });
  });

  test('is refused one more when no container could stand on it, and goes on', {
    timeout: 120_000,
  }, async () => {
    {
      await using box = await startContainer({
        image: 'test/debian:bookworm',
        command: ['sleep', 'infinity'],
        stopTimeout: 0,
      });
      const taken: Snapshot[] = [];
      let refused: unknown;
      while (refused === undefined && taken.length < 500) {
        await box.exec(['sh', '-c', 'echo $0 >> /list', `${taken.length}`]);
        const snapshot = await box.snapshot().catch((error: unknown) => {
          refused = error;
        });
        if (snapshot === undefined) break;
        taken.push(snapshot);
        await box.restore(snapshot);
      }
      expect(isMayflyError(refused, 'container.too-many-layers')).toBe(true);
      expect(taken.length).toBeGreaterThan(90);
      const seal = box.snapshot('one-more', { method: 'seal' });
      await expect(seal).rejects.toMatchObject({ code: 'container.too-many-layers' });
      expect(readdirSync(join(TEST_HOME, 'snapshots'))).toHaveLength(taken.length);
      const lines = Array.from({ length: taken.length + 1 }, (_, line) => `${line}\n`);
      expect((await box.exec(['cat', '/list'])).stdout).toBe(lines.join(''));
      // It can be started again, and so can all that was taken.
      await box.restart();
      expect((await box.exec(['cat', '/list'])).stdout).toBe(lines.join(''));
      await using copy = await taken.at(-1)!.start();
      expect((await copy.exec(['cat', '/list'])).stdout).toBe(lines.slice(0, -1).join(''));
    }
    await pruneSnapshots({ olderThan: 0 });
    await expectNoLeaks(TEST_HOME);
  });
});
