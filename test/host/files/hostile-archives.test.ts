import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'; // biome-ignore format: one list
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LayerStore, openLayerStore } from '../../../src/images/layers/layer-store.ts';
import { type Container, startContainer } from '../../../src/index.ts';
import { resolveHome } from '../../../src/support/home.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { bytesOf, CASES, VICTIM } from '../../fixtures/hostile-archives.ts';
import { archive, file, symlink } from '../../fixtures/tar.ts';
import { requires } from '../../requires.ts';

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
