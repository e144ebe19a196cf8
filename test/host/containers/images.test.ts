import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import {
  diskUsage,
  historyOf,
  importImage,
  inspectImage,
  listImages,
  loadImages,
  pruneImages,
  pullImage,
  pushImage,
  removeImage,
  saveImages,
  searchImages,
  startContainer,
  tagImage,
  verifyImages,
} from 'mayfly';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { openEngine } from '../../../src/containers/engine.ts';
import { findImage } from '../../../src/presets/image-source.ts';
import { leftOnDisk } from '../../fixtures/leaks.ts';
import { type RealRegistry, startDockerRegistry } from '../../fixtures/registry/docker-registry.ts';
import { dockerArchive, imageOf, layerOf, tarOf } from '../../fixtures/registry/image-layout.ts';
import { skopeoCopy } from '../../fixtures/registry/skopeo.ts';
import { requires } from '../../requires.ts';

requires(
  'root',
  'docker-registry',
  'skopeo',
  'gcc',
)('images by the public functions', () => {
  let registry: RealRegistry;
  let home: string;
  let directory: string;
  let tarball: string;
  const [oldHome, oldSource] = [process.env.MAYFLY_HOME, process.env.MAYFLY_IMAGES];
  beforeAll(async () => {
    registry = await startDockerRegistry();
    // The smallest image that does something: one static program, which waits.
    directory = mkdtempSync(join(tmpdir(), 'mayfly-pause-'));
    await execa('gcc', ['-static', '-o', join(directory, 'pause'), '-xc', '-'], {
      input: '#include <unistd.h>\nint main(void) { pause(); return 0; }',
    });
    tarball = join(directory, 'rootfs.tar');
    await execa('tar', ['-C', directory, '-cf', tarball, 'pause']);
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'mayfly-images-'));
    process.env.MAYFLY_HOME = home;
    await importImage(tarball, { reference: 'pause:1', config: { Cmd: ['/pause'] } });
  });
  afterEach(() => {
    process.env.MAYFLY_HOME = oldHome;
    process.env.MAYFLY_IMAGES = oldSource;
    if (oldSource === undefined) delete process.env.MAYFLY_IMAGES;
    if (oldHome === undefined) delete process.env.MAYFLY_HOME;
    rmSync(home, { recursive: true, force: true });
  });

  test('push, remove, start from the registry, and prune around the container', async () => {
    const reference = `${registry.host}/test/pause:1`;
    await tagImage('pause:1', reference);
    expect(await pushImage(reference)).toMatch(/^sha256:/);
    expect(await searchImages('paus', { registry: registry.host })).toMatchObject([
      { name: `${registry.host}/test/pause` },
    ]);
    for (const name of ['pause:1', reference]) await removeImage(name);
    expect(await listImages()).toEqual([]);
    expect((await diskUsage()).layers.count).toBe(0);

    await expect(startContainer({ image: reference, pull: 'never' })).rejects.toMatchObject({
      code: 'image.not-found',
    });
    await using container = await startContainer({ image: reference, network: 'none', stopTimeout: 0 });
    await expect(removeImage(reference)).rejects.toMatchObject({ code: 'image.in-use' });
    expect(await pruneImages({ all: true })).toMatchObject({ names: [], layers: 0 });
    expect(await removeImage(reference, { force: true })).toMatchObject({ layers: 0 });
    expect((await diskUsage()).layers.count).toBe(1);
    await container.stop();
    expect(await pruneImages()).toMatchObject({ layers: 1 });
    expect(await verifyImages()).toEqual([]);
  });

  test('list, inspect, history, save and load', async () => {
    const { id } = await inspectImage('pause:1');
    await tagImage(id.slice(7, 19), 'other:2');
    expect(await listImages()).toMatchObject([
      {
        id,
        references: ['docker.io/library/other:2', 'docker.io/library/pause:1'],
        config: { Cmd: ['/pause'] },
      },
    ]);
    expect(await historyOf('other:2')).toEqual([]);
    const path = join(home, 'saved.tar');
    await saveImages(['pause:1', 'other:2'], path);
    await removeImage(id);
    expect(await listImages()).toEqual([]);
    expect((await loadImages(path)).toSorted()).toEqual([
      'docker.io/library/other:2',
      'docker.io/library/pause:1',
    ]);
    await using container = await startContainer({ image: 'other:2', network: 'none', stopTimeout: 0 });
    expect(container.id).toMatch(/^[0-9a-f]{64}$/);
    await expect(inspectImage('nothing')).rejects.toMatchObject({ code: 'image.not-found' });
    await expect(loadImages('/nonexistent')).rejects.toMatchObject({ code: 'image.no-such-file' });
  });

  /** What is written to stderr meanwhile. */
  async function said(task: () => Promise<unknown>): Promise<string> {
    const spy = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      await task();
      return spy.mock.calls.map(([text]) => String(text)).join('');
    } finally {
      spy.mockRestore();
    }
  }

  test('a start that has to pull says so in one line, and one that has not says nothing', async () => {
    const reference = `${registry.host}/test/shown:1`;
    await pushImage(reference, { image: 'pause:1' });
    await removeImage('pause:1');
    const start = async () => {
      await using _box = await startContainer({ image: reference, network: 'none', stopTimeout: 0 });
    };
    expect(await said(start)).toMatch(
      /^mayfly: pull 127\.0\.0\.1:\d+\/test\/shown:1 {2}\d+\.\d s {2}1 layer {2}\S+ \S+\n$/,
    );
    expect(await said(start)).toBe('');
    const missing = startContainer({ image: `${registry.host}/test/missing:1` });
    await expect(missing).rejects.toMatchObject({ code: 'registry.not-found' });
  });

  test('an image for another processor is refused, by both names, before anything is made', async () => {
    const [own, other] = process.arch === 'x64' ? ['amd64', 'arm64'] : ['arm64', 'amd64'];
    const foreign = imageOf([layerOf(tarOf({ name: 'f', type: 'file', content: 'x' }))], {
      architecture: other!,
    });
    await loadImages(Readable.from([dockerArchive(foreign, 'foreign:1')]));
    await expect(startContainer({ image: 'foreign:1' })).rejects.toMatchObject({
      code: 'container.foreign-platform',
      message: expect.stringMatching(`foreign:1 is for linux/${other} and cannot run on linux/${own}`),
      hint: expect.stringContaining(`mayfly pull --platform linux/${own}`),
    });
    expect(leftOnDisk(home)).toEqual([]);
    const image = await pullImage('foreign:1', { policy: 'missing', platform: `linux/${other}` });
    expect(image.platform).toEqual({ os: 'linux', architecture: other });
    await expect(startContainer({ image })).rejects.toMatchObject({ code: 'container.foreign-platform' });
    await expect(pullImage('foreign:1', { policy: 'never', platform: `linux/${own}` })).rejects.toMatchObject(
      { code: 'image.not-found', message: expect.stringContaining(`for linux/${own}`) },
    );
  });

  test('always asks the registry, missing does not', async () => {
    const reference = `${registry.host}/test/moving:1`;
    await pushImage(reference, { image: 'pause:1' });
    const first = await pullImage(reference);
    await importImage(tarball, { reference: 'changed:1', config: { Cmd: ['/pause'], Labels: { a: 'b' } } });
    await skopeoCopy(`docker://${registry.host}/test/moving:1`, `docker://${registry.host}/test/kept:1`);
    await pushImage(reference, { image: 'changed:1' });
    expect((await pullImage(reference, { policy: 'missing' })).id).toBe(first.id);
    expect((await pullImage(reference)).config.Labels).toEqual({ a: 'b' });
  });

  const recipe = { packages: [], config: {} };
  const find = (reference: string) =>
    findImage(openEngine(), { preset: { name: 'test', image: { reference, recipe } }, signal: undefined });

  test('MAYFLY_IMAGES says where the images of presets come from', async () => {
    const reference = `${registry.host}/test/preset:1`;
    await pushImage(reference, { image: 'pause:1' });
    expect((await find(reference)).config.Cmd).toEqual(['/pause']);
    process.env.MAYFLY_IMAGES = 'registry';
    await expect(find('localhost:1/gone:1')).rejects.toMatchObject({ code: 'registry.unreachable' });
    process.env.MAYFLY_IMAGES = 'nonsense';
    await expect(find(reference)).rejects.toMatchObject({ code: 'option.invalid' });
  });

  test('a registry that says no is not replaced by a recipe, one that cannot be reached is', async () => {
    await expect(find(`${registry.host}/test/missing:1`)).rejects.toMatchObject({
      code: 'registry.not-found',
    });
    // The recipe's first tool is nowhere to be found here, which shows that it was the recipe's turn.
    const path = process.env.PATH;
    process.env.PATH = '/nonexistent';
    try {
      await expect(find('localhost:1/gone:1')).rejects.toMatchObject({ code: 'recipe.tool-missing' });
    } finally {
      process.env.PATH = path;
    }
  });

  test('a broken registries.json is told with its path', async () => {
    writeFileSync(join(home, 'registries.json'), '{"docker.io": {"mirror": "x"}}');
    await expect(pullImage('app')).rejects.toMatchObject({
      code: 'registry.bad-config',
      message: expect.stringContaining(join(home, 'registries.json')),
    });
  });
});
