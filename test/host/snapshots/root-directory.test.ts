import { rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createContainer } from '../../../src/containers/create.ts';
import { diffContainer } from '../../../src/containers/diff.ts';
import { openEngine } from '../../../src/containers/engine.ts';
import { type Container, type Image, importImage, removeImage, startContainer } from '../../../src/index.ts';
import { BuildContext } from '../../fixtures/building.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { archive, directory, type Entry, file } from '../../fixtures/tar.ts';
import { requires } from '../../requires.ts';

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('the root directory of a container', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });
  afterAll(async () => {
    for (const number of [1, 2]) await removeImage(`test/root-directory:${number}`, { force: true });
    await expectNoLeaks(TEST_HOME);
  });

  const sleeper = (options = {}) =>
    startContainer({ image, command: ['sleep', 'infinity'], stopTimeout: '5s', ...options });
  const sh = async (box: Container, script: string) => (await box.exec(['sh', '-c', script])).stdout.trim();
  const look = (box: Container) => sh(box, 'stat -c %a:%u:%g /');
  const CHANGED = '2711:33:34';
  const change = (box: Container) => sh(box, 'chown 33:34 /; chmod 2711 /');
  const other = (box: Container) => sh(box, 'chown 0:0 /; chmod 0777 /');

  test('is root’s, and others may look into it', async () => {
    await using box = await sleeper();
    expect(await look(box)).toBe('755:0:0');
  });

  test.each([
    ['a copy', {}, 'copy'],
    ['a seal', {}, 'seal'],
    ['a copy with ids of its own', { userns: 'private' }, 'copy'],
    ['a seal with ids of its own', { userns: 'private' }, 'seal'],
    ['a copy of a storage of limited size', { storageSize: '8m' }, 'copy'],
  ] as const)('keeps mode and owner in %s', async (_, options, method) => {
    await using box = await sleeper(options);
    await change(box);
    await using snapshot = await box.snapshot(undefined, { method });
    expect(await look(box)).toBe(CHANGED);
    await other(box);
    await box.restore(snapshot);
    expect(await look(box)).toBe(CHANGED);
    await using copy = await snapshot.start();
    expect(await look(copy)).toBe(CHANGED);
    // A snapshot of what has not touched it again.
    await using second = await copy.snapshot(undefined, { method });
    await using third = await second.start();
    expect(await look(third)).toBe(CHANGED);
  });

  test('keeps them when a spare takes over', async () => {
    await using box = await sleeper();
    await change(box);
    await using snapshot = await box.snapshot();
    await snapshot.keepSpares(1);
    await other(box);
    await box.restore(snapshot);
    expect(await look(box)).toBe(CHANGED);
  });

  test('keeps them in a restart', async () => {
    await using box = await sleeper();
    await change(box);
    await box.restart();
    expect(await look(box)).toBe(CHANGED);
    // Usual ones, too, which are not what it lies on.
    await using snapshot = await box.snapshot();
    await box.restore(snapshot);
    await sh(box, 'chown 0:0 /; chmod 00755 /');
    await box.restart();
    expect(await look(box)).toBe('755:0:0');
  });

  test('keeps attributes', async () => {
    await using box = await sleeper();
    // setxattr(2) and getxattr(2).
    const [set, get] = process.arch === 'x64' ? [188, 191] : [5, 8];
    const setting = `my ($p, $n, $v) = ("/", "user.note", "hello"); syscall(${set}, $p, $n, $v, 5, 0) == 0 or die $!`;
    const getting = `my ($p, $n, $v) = ("/", "user.note", "-" x 5); syscall(${get}, $p, $n, $v, 5) == 5 or die $!; print $v`;
    expect((await box.exec(['perl', '-e', setting])).stderr).toBe('');
    await using snapshot = await box.snapshot();
    await using copy = await snapshot.start();
    expect((await copy.exec(['perl', '-e', getting])).stdout).toBe('hello');
  });

  test('is in an image what it was in the container, and in an archive', async () => {
    const tar = '/var/tmp/mayfly-root-directory.tar';
    await using box = await sleeper();
    await change(box);
    await using snapshot = await box.snapshot();
    expect((await diffContainer(box.parts)).map(({ path }) => path)).not.toContain('/.');
    await box.export(tar);
    const images = [
      await box.commit(),
      await snapshot.commit(),
      await importImage(tar, { reference: 'test/root-directory:2' }),
    ];
    rmSync(tar);
    for (const image of images) {
      await using other = await sleeper({ image });
      expect(await look(other)).toBe(CHANGED);
      await using again = await sleeper({ image: await other.commit() });
      expect(await look(again)).toBe(CHANGED);
    }
  });

  test('is what the uppermost layer says that speaks of it', async () => {
    const { images } = openEngine();
    const layer = (...entries: readonly Entry[]) =>
      images.layers.importTar(Readable.from([archive(...entries)]));
    const layers = [
      ...image.layers,
      await layer(directory('./', { mode: 0o555 })),
      await layer(directory('./', { mode: 0o1751, uid: 5, gid: 6 }), file('below')),
      await layer(file('above')),
    ];
    const reference = 'test/root-directory:1';
    const made = await images.put({ reference, config: {}, layers });
    await using box = await sleeper({ image: made });
    expect(await look(box)).toBe('1751:5:6');
    using context = new BuildContext();
    context.put({ copied: 'x' });
    for (const step of ['RUN touch /made', 'COPY copied /copied', 'RUN chmod 0700 /', 'WORKDIR /made/here']) {
      const built = await context.build([`FROM ${reference}`, step]);
      await using another = await sleeper({ image: built });
      expect(await look(another)).toBe(step.includes('chmod') ? '700:5:6' : '1751:5:6');
    }
    const created = await createContainer({ image: made, command: ['sleep', 'infinity'], stopTimeout: 0 });
    await created.start();
    expect(await look(created)).toBe('1751:5:6');
    await created.remove({ force: true });
  });
});
