import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { importImage, removeImage, startContainer } from 'mayfly';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEngine } from '../../../src/containers/engine.ts';
import type { Image } from '../../../src/index.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('export', () => {
  let image: Image;
  let directory: string;
  beforeAll(async () => {
    image = await debian();
    directory = mkdtempSync(join(tmpdir(), 'mayfly-export-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const start = (options: object = {}) =>
    startContainer({ image, command: ['sleep', 'infinity'], stopTimeout: 0, ...options });
  const list = (tar: string) =>
    new Map(
      execFileSync('tar', ['tvf', tar, '--numeric-owner'], { maxBuffer: 64 << 20 })
        .toString()
        .trimEnd()
        .split('\n')
        .map((line): [string, string] => {
          const [, mode, owner, , , , name] = /^(\S+) (\S+) +(\S+) (\S+) (\S+) (.*)$/.exec(line) ?? [];
          return [(name ?? '').replace(/ (->|link to) .*/, ''), `${mode} ${owner}`];
        }),
    );
  const layers = () => readdirSync(openEngine().home.layers).toSorted();

  test('the tar is what the container sees of its own, and an image of it runs', async () => {
    writeFileSync(join(directory, 'mounted'), 'of the host');
    await using box = await start({
      mounts: [{ type: 'bind', source: join(directory, 'mounted'), target: '/mnt/file' }],
    });
    await box.exec([
      'sh',
      '-ec',
      `mkdir /data && echo hello > /data/file && ln /data/file /data/hard && chown 5:6 /data/file && chmod 4750 /data/file
       rm /etc/issue && rm -r /var/cache/apt && mkdir /var/cache/apt`,
    ]);
    const before = layers();
    const tar = join(directory, 'box.tar');
    await box.export(tar);
    expect(layers()).toEqual(before);
    expect((await box.inspect()).State).toMatchObject({ Running: true, Paused: false });
    const entries = list(tar);
    expect(entries.size).toBeGreaterThan(1000);
    expect(entries.get('data/file')).toBe('-rwsr-x--- 5/6');
    expect(entries.get('data/hard')).toBe('hrwsr-x--- 5/6');
    expect(entries.get('usr/bin/env')).toBe('-rwxr-xr-x 0/0');
    expect(entries.has('etc/issue')).toBe(false);
    expect([...entries.keys()].filter((name) => /^(proc|sys|var\/cache\/apt)\/./.test(name))).toEqual([]);
    expect([...entries.keys()].filter((name) => name.includes('.wh.'))).toEqual([]);
    const content = (path: string) => execFileSync('tar', ['xOf', tar, path]).toString();
    expect([content('data/file'), content('mnt/file'), content('etc/hosts')]).toEqual(['hello\n', '', '']);

    const imported = await importImage(tar, { reference: 'test/exported:1' });
    expect(imported.layers).toHaveLength(1);
    await using again = await start({ image: 'test/exported:1' });
    const { stdout } = await again.exec([
      'sh',
      '-c',
      'cat /data/hard; stat -c "%a %u:%g %h" /data/file; ls /var/cache/apt',
    ]);
    expect(stdout).toBe('hello\n4750 5:6 2\n');
    await again.stop();
    await removeImage('test/exported:1');
  });

  test('of an ended container, into a stream', async () => {
    const box = await startContainer({ image, command: ['sh', '-c', 'echo late > /late'], detached: true });
    try {
      await box.wait();
      const stream = new PassThrough();
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      await box.export(stream);
      const tar = join(directory, 'ended.tar');
      writeFileSync(tar, Buffer.concat(chunks));
      expect(execFileSync('tar', ['xOf', tar, 'late']).toString()).toBe('late\n');
    } finally {
      await box.remove({ force: true });
    }
  });

  test('one that fails leaves no file, and the container as it was', async () => {
    await using box = await start();
    const before = layers();
    await expect(box.export(join(directory, 'none/box.tar'))).rejects.toMatchObject({
      code: 'copy.no-such-path',
    });
    const tar = join(directory, 'aborted.tar');
    const controller = new AbortController();
    const stream = new PassThrough();
    stream.once('data', () => controller.abort(new Error('enough')));
    await expect(box.export(stream, { signal: controller.signal })).rejects.toThrow('enough');
    await expect(box.export(tar, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
    expect(existsSync(tar)).toBe(false);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', disk()]);
    try {
      await expect(box.export(join(disk(), 'box.tar'))).rejects.toMatchObject({ code: 'copy.no-space' });
      expect(readdirSync(disk())).toEqual([]);
    } finally {
      execFileSync('umount', [disk()]);
    }
    expect(layers()).toEqual(before);
    expect((await box.inspect()).State).toMatchObject({ Running: true, Paused: false });
  });

  const disk = () => join(directory, 'disk');
  beforeAll(() => execFileSync('mkdir', ['-p', disk()]));
});
