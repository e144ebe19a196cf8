import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Container, startContainer } from 'mayfly';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEngine } from '../../../src/containers/engine.ts';
import { importTarball } from '../../../src/images/import.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

const DEADLINE = 20_000;
const MEBIBYTE = 1 << 20;

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('a commit that comes to nothing', () => {
  let box: Container;
  const home = () => openEngine().home;
  const state = () => ({
    // Locks of temporary directories included.
    layers: readdirSync(home().layers).toSorted(),
    images: openEngine()
      .images.list()
      .map(({ id }) => id),
  });
  const goesOn = async () => {
    expect((await box.inspect()).State).toMatchObject({ Running: true, Paused: false });
    expect((await box.exec(['echo', 'alive'])).stdout).toBe('alive\n');
  };

  test('by a signal leaves the container running and nothing behind', async () => {
    box = await startContainer({ image: await debian(), command: ['sleep', '1000'], stopTimeout: 0 });
    await using _box = box;
    // A hole: long to read, and of no weight until it is copied.
    await box.exec(['truncate', '-s', '4G', '/first']);
    const before = state();
    const controller = new AbortController();
    const commit = box.commit('test/aborted:1', { signal: controller.signal });
    const failed = expect(commit).rejects.toThrow('enough');
    await copying('first');
    controller.abort(new Error('enough'));
    await failed;
    expect(state()).toEqual(before);
    await goesOn();
    await box.exec(['rm', '/first']);
    expect((await box.commit()).layers.length).toBeGreaterThan(1);
  });

  test('before it begins, too', async () => {
    box = await startContainer({ image: await debian(), command: ['sleep', '1000'], stopTimeout: 0 });
    await using _box = box;
    const before = state();
    await expect(
      box.commit('test/aborted:1', { signal: AbortSignal.abort(new Error('no')) }),
    ).rejects.toThrow('no');
    expect(state()).toEqual(before);
    await goesOn();
  });

  requires('root')('on a disk of its own', () => {
    let disk: string;
    beforeEach(async () => {
      const base = await debian();
      const tar = openEngine().images.layers.openTar(base.layers[0]!);
      disk = mkdtempSync(join(tmpdir(), 'mayfly-disk-'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'none', disk]);
      process.env.MAYFLY_HOME = join(disk, 'home');
      await importTarball(openEngine().images, tar, { reference: 'test/small:1' });
    });
    afterEach(() => {
      process.env.MAYFLY_HOME = TEST_HOME;
      execFileSync('umount', [disk]);
      rmdirSync(disk);
    });

    test('that is full is told, and with room it succeeds', async () => {
      box = await startContainer({ image: 'test/small:1', command: ['sleep', '1000'], stopTimeout: 0 });
      await using _box = box;
      await box.exec(['dd', 'if=/dev/urandom', 'of=/data', 'bs=1M', 'count=20']);
      const filler = join(disk, 'filler');
      writeFileSync(filler, Buffer.alloc(room(disk) - 10 * MEBIBYTE));
      const before = state();
      await expect(box.commit('test/full:1')).rejects.toMatchObject({ code: 'layer.no-space' });
      expect(state()).toEqual(before);
      await goesOn();
      rmSync(filler);
      const { id } = await box.commit('test/full:1');
      expect(openEngine().images.lookup('test/full:1')?.id).toBe(id);
    });
  });

  /** Until a layer of which nobody knows yet has the file. */
  async function copying(name: string): Promise<void> {
    const isThere = () =>
      readdirSync(home().layers).some(
        (layer) => layer.startsWith('tmp-') && existsSync(join(home().layers, layer, 'fs', name)),
      );
    for (const end = Date.now() + DEADLINE; !isThere(); await delay(1))
      if (Date.now() > end) throw new Error(`${name} is not being copied`);
  }
});

function room(path: string): number {
  return Number(execFileSync('df', ['--output=avail', '-B1', path]).toString().split('\n')[1]);
}
