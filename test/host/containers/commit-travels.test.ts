import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Container, type Image, pushImage, removeImage, startContainer } from 'mayfly';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEngine } from '../../../src/containers/engine.ts';
import { debian } from '../../fixtures/home.ts';
import { type RealRegistry, startDockerRegistry } from '../../fixtures/registry/docker-registry.ts';
import { scratchStore } from '../../fixtures/registry/pulling.ts';
import { skopeo, skopeoCopy } from '../../fixtures/registry/skopeo.ts';
import { describeTree } from '../../fixtures/tree.ts';
import { requires } from '../../requires.ts';

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
  'docker-registry',
  'skopeo',
  'umoci',
)('a committed image', () => {
  let registry: RealRegistry;
  let box: Container;
  let image: Image;
  let reference: string;
  let scratch: string;
  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'mayfly-commit-'));
    registry = await startDockerRegistry();
    reference = `${registry.host}/app:1`;
    box = await startContainer({
      image: await debian(),
      command: ['sleep', 'infinity'],
      stopTimeout: 0,
    });
    // All that a layer can say: content, links, owners, modes, a capability, a pipe, and what is hidden of the layers below.
    await box.exec([
      'sh',
      '-ec',
      `mkdir -p /data/deep && cd /data && head -c 300000 /dev/urandom > file && ln file hard && ln -s ../etc/passwd link
       mkfifo pipe && chown 5:6 file deep && chmod 4751 file && chmod 2750 deep && touch -d @1700000000.5 file deep link -h
       rm /etc/issue && rm -r /var/cache/apt && mkdir /var/cache/apt && echo new > /var/cache/apt/new && mv /etc/motd /data || true`,
    ]);
    image = await box.commit(reference, { changes: ['ENV A=1', 'LABEL x=y', 'CMD ["cat", "/data/link"]'] });
    await pushImage(reference);
  });
  afterAll(async () => {
    await box.stop();
    await removeImage(reference);
    await registry[Symbol.asyncDispose]();
    rmSync(scratch, { recursive: true });
  });

  test('is the same in another home that has pulled it', async () => {
    using other = scratchStore();
    const pulled = await other.pull(reference);
    expect(pulled.config.rootfs.diff_ids.at(-1)).toBe(image.layers.at(-1)!.diffId);
    const { layers, config } = (await other.store.find(reference))!;
    expect(config).toMatchObject({ Labels: { x: 'y' }, Cmd: ['cat', '/data/link'] });
    for (const [position, layer] of layers.entries())
      expect(comparable(layer.directory)).toEqual(comparable(image.layers[position]!.directory));
  });

  test('has the diffID that its tree makes, and the tree of the container', async () => {
    const { layers } = openEngine().images;
    const top = image.layers.at(-1)!;
    expect(await layers.digestTree(top)).toBe(top.diffId);
    expect((await layers.copyUpper(top.directory)).diffId).toBe(top.diffId);
    const paths = describeTree(top.directory).map((line) => line.split(' ')[0]);
    expect(paths).toEqual(
      expect.arrayContaining(['data/file', 'data/pipe', 'etc/issue', 'var/cache/apt/new']),
    );
  });

  test('is inspected by skopeo and unpacked by umoci to what a container sees', async () => {
    const inspected = JSON.parse(
      await skopeo('inspect', '--tls-verify=false', `docker://${reference}`),
    ) as object;
    expect(inspected).toMatchObject({ Labels: { x: 'y' }, Env: expect.arrayContaining(['A=1']) });
    const layout = join(scratch, 'layout');
    await skopeoCopy(`docker://${reference}`, `oci:${layout}:app`);
    execFileSync('umoci', ['unpack', '--image', `${layout}:app`, join(scratch, 'bundle')]);
    const merged = join(scratch, 'merged');
    mkdirSync(merged);
    const lower = image.layers.map(({ directory }) => directory).reverse();
    execFileSync('mount', ['-t', 'overlay', '-o', `ro,lowerdir=${lower.join(':')}`, 'overlay', merged]);
    try {
      const theirs = comparable(join(scratch, 'bundle/rootfs'));
      const ours = comparable(merged);
      expect(ours.length).toBeGreaterThan(1000);
      expect(ours).toEqual(theirs);
    } finally {
      execFileSync('umount', [merged]);
    }
  });

  test('holds what is in the VOLUME paths of its image', async () => {
    const base = await debian();
    const volumes = { ...base, config: { ...base.config, Volumes: { '/volume': {} } } };
    await using first = await startContainer({ image: volumes, command: ['sleep', '100'], stopTimeout: 0 });
    await first.exec(['sh', '-c', 'mkdir -p /volume && echo kept > /volume/file']);
    const committed = await first.commit();
    await using again = await startContainer({ image: committed, command: ['sleep', '100'], stopTimeout: 0 });
    expect((await again.exec(['cat', '/volume/file'])).stdout).toBe('kept\n');
  });
});

/** Without what overlay itself says on directories, and the time of whiteouts, which no layer tells of. */
function comparable(root: string): string[] {
  return describeTree(root).map((line) =>
    line.replace(/ trusted\.overlay\.(?!opaque)\S+/g, '').replace(/ 20000 0:0 \d+ /, ' whiteout '),
  );
}
