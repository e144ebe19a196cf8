import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { imageOf, layerOf, type TarEntry, tarOf, writeLayout } from '../../fixtures/registry/image-layout.ts';
import { scratchStore } from '../../fixtures/registry/pulling.ts';
import { skopeoCopy } from '../../fixtures/registry/skopeo.ts';
import { requires } from '../../requires.ts';

const mtime = 1_700_000_000_000_000_000n;
const entries: TarEntry[] = [
  { name: 'd', type: 'directory', mode: 0o2750, uid: 3, gid: 4, mtime },
  { name: 'd/file', type: 'file', content: randomBytes(100_000), mode: 0o4755, uid: 1, gid: 2, mtime },
  { name: 'd/hard', type: 'link', linkname: 'd/file', mtime },
  { name: 'link', type: 'symlink', linkname: 'd/../d/file', uid: 7, gid: 8, mtime },
  { name: 'fifo', type: 'fifo', mode: 0o600, mtime },
  { name: 'null', type: 'character-device', mode: 0o666, devmajor: 1, devminor: 3, mtime },
  { name: 'x'.repeat(150), type: 'file', content: 'long', mtime },
];

requires(
  'root',
  'umoci',
  'skopeo',
)('umoci as the measure', () => {
  test('a layer is unpacked to the same tree', async () => {
    using scratch = scratchStore();
    const layout = join(scratch.directory, 'layout');
    writeLayout(layout, { image: [imageOf([layerOf(tarOf(...entries))])] });
    const bundle = join(scratch.directory, 'bundle');
    await execa('umoci', ['unpack', '--image', `${layout}:image`, bundle]);
    await skopeoCopy(`oci:${layout}:image`, `oci:${scratch.store.paths.layout}:docker.io/library/app:1`);
    const image = await scratch.store.find('app:1');
    const [ours, theirs] = await Promise.all(
      [image!.layers[0]!.directory, join(bundle, 'rootfs')].map(async (root) => {
        // Type, mode, owner, time, links, size, target; then what is in it.
        const tree = await execa(
          'find',
          ['.', '-mindepth', '1', '-printf', '%p %y %m %U:%G %T@ %n %s %l\\n'],
          { cwd: root },
        );
        const sums = await execa('find', ['.', '-type', 'f', '-exec', 'sha256sum', '{}', '+'], { cwd: root });
        return `${tree.stdout}\n${sums.stdout}`.split('\n').toSorted();
      }),
    );
    expect(ours!.length).toBeGreaterThan(entries.length);
    // The size of a directory is the file system's affair.
    const comparable = (lines: string[]) =>
      lines.map((line) => (/ d \d+ /.test(line) ? line.replace(/ \d+ $/, '') : line));
    expect(comparable(ours!)).toEqual(comparable(theirs!));
  });
});
