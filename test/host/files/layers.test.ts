import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'; // biome-ignore format: one list
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { WorkerLauncher } from '../../../src/files/launcher.ts';
import { type LayerStore, openLayerStore } from '../../../src/images/layers/layer-store.ts';
import { call, reap } from '../../../src/kernel/ffi/libc.ts';
import { spawnProcess } from '../../../src/kernel/processes/spawn.ts';
import { resolveHome } from '../../../src/support/home.ts';
import { archive, directory, file } from '../../fixtures/tar.ts';
import { describeTree } from '../../fixtures/tree.ts';
import { requires } from '../../requires.ts';

requires(
  'root',
  'umoci',
  'zstd',
)('layers beside umoci and GNU tar', () => {
  let scratch: string;
  let store: LayerStore;
  const at = (...parts: string[]) => join(scratch, ...parts);
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'mayfly-layers-'));
    store = openLayerStore(resolveHome({ MAYFLY_HOME: at('home') }));
    mkdirSync(at('tree'));
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  const setXattr = (path: string, name: string, value: Buffer) =>
    call('lsetxattr', [path, name, value, value.length, 0], `set ${name}`);

  /** One of everything that a file system of ours holds. */
  function plant(tree: string): void {
    const path = (name: string) => join(tree, name);
    mkdirSync(path(`deep/${'long-directory/'.repeat(9)}`), { recursive: true });
    writeFileSync(path(`deep/${'long-directory/'.repeat(9)}${'n'.repeat(200)}`), 'long');
    writeFileSync(path('setuid'), 'program', { mode: 0o755 });
    writeFileSync(path('grüße'), 'utf-8');
    writeFileSync(Buffer.concat([Buffer.from(path('raw-')), Buffer.from([0xff, 0xfe])]), 'bytes');
    setXattr(path('grüße'), 'user.note', Buffer.from([0, 0xff, 0x80]));
    symlinkSync('/absolute/'.repeat(20), path('link'));
    execFileSync('ln', [path('setuid'), path('hard')]);
    execFileSync('mkfifo', [path('fifo')]);
    execFileSync('mknod', [path('null'), 'c', '1', '3']);
    execFileSync('mknod', [path('loop'), 'b', '7', '300']);
    writeFileSync(path('holes'), 'x');
    truncateSync(path('holes'), 5 << 20);
    execFileSync('chown', ['-h', '123456:3000000', path('link'), path('grüße'), path('deep')]);
    execFileSync('chmod', ['1777', path('deep')]);
    execFileSync('chmod', ['4755', path('setuid')]);
    // Last, because chmod and chown take capabilities away: VFS_CAP_REVISION_2, with bytes above 0x7f (capabilities(7)).
    setXattr(
      path('setuid'),
      'security.capability',
      Buffer.from('0100000200a0ff8000a0ff800000000000000000', 'hex'),
    );
    execFileSync('find', [
      tree,
      '-exec',
      'touch',
      '-h',
      '-d',
      '2021-02-03 04:05:06.123456789 UTC',
      '{}',
      '+',
    ]);
  }

  /** What umoci makes of layers. */
  function umoci(...layers: string[]): string {
    const run = (...args: string[]) => execFileSync('umoci', args, { stdio: 'pipe' });
    run('init', '--layout', at('oci'));
    run('new', '--image', `${at('oci')}:x`);
    for (const layer of layers) run('raw', 'add-layer', '--image', `${at('oci')}:x`, layer);
    run('unpack', '--image', `${at('oci')}:x`, at('bundle'));
    return at('bundle/rootfs');
  }

  const gnuTar = (format: string) => {
    const options = [
      '--xattrs',
      '--xattrs-include=*',
      '--sparse',
      `--format=${format}`,
      '-C',
      at('tree'),
      '-cf',
      at('layer.tar'),
      '.',
    ];
    execFileSync('tar', options);
    return Readable.from([execFileSync('cat', [at('layer.tar')], { maxBuffer: 64 << 20 })]);
  };

  test('a tree that GNU tar has packed is the same tree when it is a layer, and the same as umoci’s', async () => {
    plant(at('tree'));
    const { directory: ours } = await store.importTar(gnuTar('posix'));
    expect(describeTree(ours)).toEqual(describeTree(at('tree')));
    expect(lstatSync(join(ours, 'holes')).blocks).toBeLessThan(100);
    expect(describeTree(umoci(at('layer.tar')))).toEqual(describeTree(ours));
  });

  test('a layer that we have packed is the same tree for umoci and GNU tar', async () => {
    plant(at('tree'));
    const before = describeTree(at('tree'));
    const layer = await store.commitUpper(at('tree'));
    writeFileSync(at('ours.tar'), await buffer(store.openTar(layer)));
    expect(execFileSync('sha256sum', [at('ours.tar')], { encoding: 'utf8' }).slice(0, 64)).toBe(
      layer.diffId.slice(7),
    );
    mkdirSync(at('gnu'));
    execFileSync('tar', [
      '--xattrs',
      '--xattrs-include=*',
      '--same-owner',
      '-xpf',
      at('ours.tar'),
      '-C',
      at('gnu'),
    ]);
    expect(describeTree(at('gnu'))).toEqual(before);
    expect(describeTree(umoci(at('ours.tar')))).toEqual(before);
    const again = await store.importTar(Readable.from([execFileSync('zstd', ['--stdout', at('ours.tar')])]));
    expect(again).toEqual(layer);
  });

  test('the same content gives the same bytes, wherever and in whatever order it was written', async () => {
    plant(at('tree'));
    mkdirSync(at('copy'));
    // Another order of creation, and no holes.
    execFileSync('cp', ['-a', at('tree/link'), at('copy/link')]);
    execFileSync('cp', ['-a', '--sparse=never', `${at('tree')}/.`, at('copy')]);
    expect(describeTree(at('copy'))).toEqual(describeTree(at('tree')));
    const [one, other] = [await store.commitUpper(at('tree')), await store.commitUpper(at('copy'))];
    expect(other).toEqual(one);
  });

  test('whiteouts and opaque directories go there and back, and mean to umoci what they mean to overlay', async () => {
    const base = archive(
      directory('gone'),
      file('gone/x'),
      directory('hidden'),
      file('hidden/old'),
      file('removed'),
    );
    writeFileSync(at('base.tar'), base);
    for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(at(name));
    execFileSync('tar', ['-xpf', at('base.tar'), '-C', at('lower')]);
    execFileSync('mount', [
      '-t',
      'overlay',
      'overlay',
      '-o',
      `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`,
      at('merged'),
    ]);
    try {
      execFileSync(
        'sh',
        ['-c', 'rm -r gone removed hidden && mkdir hidden && echo new > hidden/new && chown 5:6 hidden'],
        { cwd: at('merged') },
      );
    } finally {
      execFileSync('umount', [at('merged')]);
    }
    const layer = await store.commitUpper(at('upper'));
    const tar = await buffer(store.openTar(layer));
    expect(execFileSync('tar', ['-tf', '-'], { input: tar, encoding: 'utf8' }).trim().split('\n')).toEqual([
      '.wh.gone', 'hidden/', 'hidden/.wh..wh..opq', 'hidden/new', '.wh.removed',
    ]); // biome-ignore format: a listing
    writeFileSync(at('diff.tar'), tar);
    const merged = umoci(at('base.tar'), at('diff.tar'));
    expect(readdirSync(merged, { recursive: true }).sort()).toEqual(['hidden', 'hidden/new']);
    expect(lstatSync(join(merged, 'hidden'))).toMatchObject({ uid: 5, gid: 6 });
    // A second home, because the first one has it already.
    const other = openLayerStore(resolveHome({ MAYFLY_HOME: at('other') }));
    const unpacked = await other.importTar(Readable.from([gzipSync(tar)]));
    expect(unpacked.diffId).toBe(layer.diffId);
    expect(await buffer(other.openTar(unpacked))).toEqual(tar);
  });

  test('an upper that holds only a reference to what was renamed is an error, not a layer with holes', async () => {
    mkdirSync(at('tree/moved'));
    setXattr(at('tree/moved'), 'trusted.overlay.redirect', Buffer.from('/from'));
    await expect(store.commitUpper(at('tree'))).rejects.toMatchObject({ code: 'layer.failed' });
    expect(existsSync(at('tree/moved'))).toBe(true);
  });

  test('a large layer takes no more memory than a small one, however it is compressed', async () => {
    const random = randomBytes(8 << 20);
    writeFileSync(at('tree/large'), Buffer.concat(Array<Buffer>(25).fill(random)));
    for (const compress of ['gzip -1', 'zstd -1']) {
      let peak = 0;
      let pid = 0;
      const launcher: WorkerLauncher = ({ path, ...command }) => {
        pid = spawnProcess({ program: path, ...command, cwd: '/' });
        return { kill: () => {}, ended: () => reap(pid) };
      };
      const onProgress = () => {
        const status = readFileSync(`/proc/${pid}/status`, 'latin1');
        peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]));
      };
      execFileSync('sh', ['-c', `tar -C ${at('tree')} -cf - large | ${compress} > ${at('layer')}`]);
      mkdirSync(at('home', compress));
      const watched = openLayerStore(resolveHome({ MAYFLY_HOME: at('home', compress) }), { launcher });
      await watched.importTar(createReadStream(at('layer')), { onProgress });
      expect(peak).toBeGreaterThan(30_000);
      expect(peak).toBeLessThan(150_000);
    }
  });

  test('sockets are left out', async () => {
    execFileSync('perl', [
      '-MIO::Socket::UNIX',
      '-e',
      'IO::Socket::UNIX->new(Local => shift, Listen => 1)',
      at('tree/socket'),
    ]);
    writeFileSync(at('tree/file'), '');
    const tar = await buffer(store.openTar({ directory: at('tree') }));
    expect(execFileSync('tar', ['-tf', '-'], { input: tar, encoding: 'utf8' })).toBe('file\n');
  });

  test('a layer with thousands of entries', async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => file(`d${i % 100}/f${i}`, String(i)));
    const layer = await store.importTar(Readable.from([archive(...many)]));
    expect(readdirSync(layer.directory, { recursive: true })).toHaveLength(20_100);
  });
});
