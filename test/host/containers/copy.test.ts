import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'; // biome-ignore format: one list
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Container, type CopySource, startContainer } from '../../../src/index.ts';
import { debian } from '../../fixtures/home.ts';
import { archive, device, directory, type Entry, file, link, symlink } from '../../fixtures/tar.ts';
import { requires } from '../../requires.ts';

requires('root', 'mmdebstrap')('copying', () => {
  let box: Container;
  let host: string;
  let shared: string;
  const on = (...parts: string[]) => join(host, ...parts);
  const sh = async (script: string) => (await box.exec(['sh', '-c', script])).stdout;
  /** Mode, owner, size and name of everything below a directory. */
  const listing = async (path: string) =>
    (await sh(`cd ${path} && find . -mindepth 1 -printf '%m %U:%G %y %P %l\\n' | sed 's/ $//' | sort -k4`))
      .trim()
      .split('\n');

  beforeAll(async () => {
    shared = mkdtempSync(join(tmpdir(), 'mayfly-shared-'));
    writeFileSync(`${shared}-file`, '');
    box = await startContainer({
      image: await debian(),
      command: ['sleep', 'infinity'],
      mounts: [
        { type: 'tmpfs', target: '/small', size: '1m' },
        { type: 'tmpfs', target: '/ram' },
        { type: 'bind', source: `${shared}-file`, target: '/mounted' },
        { type: 'bind', source: shared, target: '/shared' },
        { type: 'bind', source: shared, target: '/locked', readOnly: true },
      ],
      stopTimeout: 0,
    });
  });
  afterAll(async () => {
    await box.stop();
    for (const path of [shared, `${shared}-file`]) rmSync(path, { recursive: true });
  });
  beforeEach(async () => {
    host = mkdtempSync(join(tmpdir(), 'mayfly-copy-'));
    await sh('rm -rf /w && mkdir /w');
    return () => rmSync(host, { recursive: true, force: true });
  });

  test('text and bytes become a file of root with the mode asked for; directories on the way are made', async () => {
    await box.copyTo('/w/deep/er/text', { content: 'grüße\n' });
    await box.copyTo(
      '/w/bytes',
      { content: Buffer.from([0, 255, 1]) },
      { mode: 0o4750, owner: { uid: 7, gid: 8 } },
    );
    expect(await listing('/w')).toEqual([
      '4750 7:8 f bytes',
      '755 0:0 d deep',
      '755 0:0 d deep/er',
      '644 0:0 f deep/er/text',
    ]);
    expect(await sh('cat /w/deep/er/text; od -An -tx1 /w/bytes')).toBe('grüße\n 00 ff 01\n');
  });

  test('a file of the host becomes the path, or goes into a directory that is there', async () => {
    writeFileSync(on('a'), 'content', { mode: 0o640 });
    utimesSync(on('a'), 1000, 1000.5);
    await box.copyTo('/w/b', on('a'));
    await box.copyTo('/w', on('a'), { owner: 'keep' });
    await box.copyTo('/w/new/', on('a'));
    expect(await sh('stat -c "%n %a %U %.1Y" /w/a /w/b /w/new/a; cat /w/b')).toBe(
      '/w/a 640 root 1000.5\n/w/b 640 root 1000.5\n/w/new/a 640 root 1000.5\ncontent',
    );
  });

  test('a directory becomes the path, goes into one that is there, or is merged with it', async () => {
    mkdirSync(on('d/sub'), { recursive: true });
    writeFileSync(on('d/sub/f'), 'f');
    symlinkSync('sub/f', on('d/l'));
    execFileSync('ln', [on('d/sub/f'), on('d/hard')]);
    execFileSync('chown', ['-R', '5:6', on('d')]);
    await box.copyTo('/w/x', on('d'), { owner: 'keep' });
    await box.copyTo('/w/x', on('d'));
    await sh('mkdir -m 700 /w/merged && chown 9:9 /w/merged && echo old > /w/merged/old');
    await box.copyTo('/w/merged', `${on('d')}/.`);
    expect(await listing('/w/x')).toEqual([
      '755 0:0 d d', '644 0:0 f d/hard', '777 0:0 l d/l sub/f', '755 0:0 d d/sub', '644 0:0 f d/sub/f',
      '644 5:6 f hard', '777 5:6 l l sub/f', '755 5:6 d sub', '644 5:6 f sub/f',
    ]); // biome-ignore format: a listing
    expect(await sh('stat -c %h /w/x/hard; stat -c "%a %u" /w/merged; ls /w/merged')).toBe(
      '2\n700 9\nhard\nl\nold\nsub\n',
    );
  });

  test('a tar goes below the path, with its owners and modes, compressed or not', async () => {
    const tar = archive(
      directory('d', { uid: 3 }),
      file('d/f', 'x', { uid: 1, gid: 2, mode: 0o600 }),
      link('d/h', 'd/f'),
      symlink('s', 'd/f'),
    );
    await box.copyTo('/w/a', { tar });
    await box.copyTo('/w/b', { tar: Readable.from([gzipSync(tar)]) });
    const expected = ['755 3:0 d d', '600 1:2 f d/f', '600 1:2 f d/h', '777 0:0 l s d/f'];
    expect([await listing('/w/a'), await listing('/w/b')]).toEqual([expected, expected]);
  });

  test('into temporary mounts and mounts of the host', async () => {
    await box.copyTo('/ram/a', { content: 'ram' });
    await box.copyTo('/shared/a', { content: 'shared' });
    expect(await sh('cat /ram/a /locked/a')).toBe('ramshared');
  });

  test('a link in the container leads where it leads for its processes; one at the end is replaced', async () => {
    await sh(
      'mkdir /w/real && ln -s /w/real /w/link && ln -s /etc/hostname /w/file && echo safe > /w/real/keep',
    );
    await box.copyTo('/w/link/f', { content: 'through' });
    await box.copyTo('/w/file', { content: 'replaced' });
    expect(await sh('cat /w/real/f /w/real/keep; cat /w/file; test -L /w/file || echo " file"')).toBe(
      'throughsafe\nreplaced file\n',
    );
  });

  const refusals: [string, string, () => CopySource, string][] = [
    ['a source that is not there', '/w/a', () => on('nothing'), 'copy.no-such-path'],
    ['content onto a directory', '/w', () => ({ content: '' }), 'copy.is-a-directory'],
    ['a file below a file', '/etc/passwd/x', () => ({ content: '' }), 'copy.not-a-directory'],
    ['a directory onto a file', '/etc/passwd', () => host, 'copy.not-a-directory'],
    ['a tar into a file', '/etc/passwd', () => ({ tar: archive() }), 'copy.not-a-directory'],
    [
      'a tar with a file onto a directory',
      '/',
      () => ({ tar: archive(file('w', '')) }),
      'copy.is-a-directory',
    ],
    ['a path below /proc', '/proc/sys/kernel/core_pattern', () => ({ content: '|/evil' }), 'copy.refused'],
    ['a new path below /proc', '/proc/new/x', () => ({ content: '' }), 'copy.refused'],
    ['a path below /sys', '/sys/kernel/uevent_helper', () => ({ content: '/evil' }), 'copy.refused'],
    ['a path that leads to /proc', '/w/proc/self/oom_score_adj', () => ({ content: '1' }), 'copy.refused'],
    ['a read-only mount', '/locked/new', () => ({ content: '' }), 'copy.read-only'],
    [
      'more than there is room for',
      '/small/big',
      () => ({ content: Buffer.alloc(2 << 20) }),
      'copy.no-space',
    ],
    ['a file that is mounted there', '/mounted', () => ({ content: '' }), 'copy.refused'],
    ['what is no tar', '/w', () => ({ tar: Buffer.from('no tar'.repeat(500)) }), 'copy.refused'],
    [
      'a tar that breaks off',
      '/w',
      () => ({ tar: archive(file('a', 'x')).subarray(0, 700) }),
      'copy.refused',
    ],
    ['a tar that leads upwards', '/w', () => ({ tar: archive(file('../up', 'x')) }), 'copy.refused'],
    ['a tar in bzip2', '/w', () => ({ tar: Buffer.from('BZh91AY&SY') }), 'copy.unsupported-compression'],
    ['a path that is not absolute', 'w', () => ({ content: '' }), 'option.invalid'],
  ];
  test.each(refusals)('%s is an error of its own', async (_title, path, source, code) => {
    await sh('ln -s /proc /w/proc');
    await expect((async () => box.copyTo(path, source()))()).rejects.toMatchObject({ code });
    expect(await sh('ls /small /locked; ls /up 2>/dev/null')).toBe('/locked:\na\n\n/small:\n');
  });

  test('the broken source and the signal are what the error says', async () => {
    const broken = Readable.from(
      (async function* () {
        yield archive(file('a', 'x')).subarray(0, 512);
        throw new Error('the disk is on fire');
      })(),
    );
    await expect(box.copyTo('/w', { tar: broken })).rejects.toMatchObject({
      code: 'copy.refused',
      cause: { cause: { message: 'the disk is on fire' } },
    });
    await expect(
      box.copyTo('/w/a', { content: '' }, { signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough');
    const controller = new AbortController();
    const endless = Readable.from(
      (async function* () {
        yield archive(file('a', 'x')).subarray(0, 512);
        controller.abort(new Error('enough'));
        await new Promise(() => {});
      })(),
    );
    await expect(box.copyTo('/w', { tar: endless }, { signal: controller.signal })).rejects.toThrow('enough');
  });

  test('a file as text and bytes, through links, and the errors of both', async () => {
    await sh('printf "gr\\303\\274n" > /w/f && ln -s f /w/l && mkfifo /w/fifo');
    expect(await box.copyFrom('/w/l').text()).toBe('grün');
    expect(await box.copyFrom('/w/f').buffer()).toEqual(Buffer.from('grün'));
    expect(await box.copyFrom('/etc/hosts').text()).toContain(box.ipAddress);
    await expect(box.copyFrom('/w').text()).rejects.toMatchObject({ code: 'copy.is-a-directory' });
    await expect(box.copyFrom('/w/nothing').text()).rejects.toMatchObject({ code: 'copy.no-such-path' });
    await expect(box.copyFrom('/w/fifo').text()).rejects.toMatchObject({ code: 'copy.refused' });
    await expect(box.copyFrom('/proc/1/environ').text()).rejects.toMatchObject({ code: 'copy.refused' });
    expect(() => box.copyFrom('w')).toThrow(expect.objectContaining({ code: 'option.invalid' }));
  });

  test('a tar that GNU tar reads, named as docker cp names it', async () => {
    await sh(
      'mkdir /w/d && echo a > /w/d/a && ln -s a /w/d/l && ln /w/d/a /w/d/z && mkfifo /w/d/p && chown 4:5 /w/d/a',
    );
    const list = async (path: string) => {
      const tar = Buffer.from(
        await new Response(Readable.toWeb(box.copyFrom(path).tar()) as ReadableStream).arrayBuffer(),
      );
      return execFileSync('tar', ['-tvf', '-', '--numeric-owner'], { input: tar, encoding: 'utf8' })
        .trim().split('\n').map((line) => line.replace(/^(\S+ \S+)\s.*?\d\d:\d\d /, '$1 ')); // biome-ignore format: a chain
    };
    expect(await list('/w/d')).toEqual([
      'drwxr-xr-x 0/0 d/', '-rw-r--r-- 4/5 d/a', 'lrwxrwxrwx 0/0 d/l -> a', 'prw-r--r-- 0/0 d/p', 'hrw-r--r-- 4/5 d/z link to d/a',
    ]); // biome-ignore format: a listing
    expect((await list('/w/d/.')).slice(0, 2)).toEqual(['drwxr-xr-x 0/0 ./', '-rw-r--r-- 4/5 ./a']);
    expect(await list('/w/d/a')).toEqual(['-rw-r--r-- 4/5 a']);
    await expect(text(box.copyFrom('/w/nothing').tar())).rejects.toMatchObject({ code: 'copy.no-such-path' });
  });

  test('to the host: files and directories, owned by who asks unless told otherwise, without setuid', async () => {
    await sh('mkdir /w/d && echo a > /w/d/a && ln -s a /w/d/l && chown -R 4:5 /w/d && chmod 4755 /w/d/a');
    await box.copyFrom('/w/d/a').to(on('file'));
    await box.copyFrom('/w/d/a').to(host);
    await box.copyFrom('/w/d').to(on('new'));
    await box.copyFrom('/w/d').to(on('new'), { owner: 'keep' });
    mkdirSync(on('merged'));
    await box.copyFrom('/w/d/.').to(on('merged'));
    expect(readdirSync(host, { recursive: true }).sort()).toEqual([
      'a', 'file', 'merged', 'merged/a', 'merged/l', 'new', 'new/a', 'new/d', 'new/d/a', 'new/d/l', 'new/l',
    ]); // biome-ignore format: a listing
    expect(readFileSync(on('file'), 'utf8')).toBe('a\n');
    expect(lstatSync(on('new/a'))).toMatchObject({ uid: 0, gid: 0, mode: 0o100755 });
    expect(lstatSync(on('new/d/a'))).toMatchObject({ uid: 4, gid: 5, mode: 0o100755 });
    expect(readlinkSync(on('new/l'))).toBe('a');
    await expect(box.copyFrom('/w/d').to(on('no/such'))).rejects.toMatchObject({ code: 'copy.no-such-path' });
    await expect(box.copyFrom('/w/d').to(on('file'))).rejects.toMatchObject({ code: 'copy.not-a-directory' });
    await expect(box.copyFrom('/w/nothing').to(on('x'))).rejects.toMatchObject({ code: 'copy.no-such-path' });
    await expect(box.copyFrom('/dev/null').to(on('x'))).rejects.toMatchObject({ code: 'copy.refused' });
    expect(existsSync(on('x'))).toBe(false);
  });

  test('what a link leads to, under its name, never out of the container', async () => {
    const secret = `mayfly-secret-${process.pid}`;
    writeFileSync(join(tmpdir(), secret), 'of the host');
    await sh(`mkdir /w/d && echo a > /w/d/a && ln -s a /w/d/l && ln -s d /w/to && ln -s to /w/twice && ln -s loop /w/loop
      ln -s ../../../../../../..${tmpdir()}/${secret} /w/up && ln -s ${tmpdir()}/${secret} /w/away && ln -s / /w/root
      ln -s /proc/self/root /w/magic && ln -s nothing /w/dangling && ln -s ../../../../w/d/a /w/above`);
    const followLink = true;
    await box.copyFrom('/w/twice').to(host, { followLink });
    await box.copyFrom('/w/to/l').to(on('file'), { followLink });
    await box.copyFrom('/w/above').to(host, { followLink });
    mkdirSync(on('merged'));
    await box.copyFrom('/w/twice/.').to(on('merged'), { followLink });
    expect(readdirSync(host, { recursive: true }).sort()).toEqual([
      'above', 'file', 'merged', 'merged/a', 'merged/l', 'twice', 'twice/a', 'twice/l',
    ]); // biome-ignore format: a listing
    for (const name of ['above', 'file', 'twice/a']) expect(readFileSync(on(name), 'utf8')).toBe('a\n');
    // Only the last part of the path is followed.
    expect(readlinkSync(on('twice/l'))).toBe('a');
    for (const name of ['up', 'away', 'dangling'])
      await expect(box.copyFrom(`/w/${name}`).to(on('x'), { followLink })).rejects.toMatchObject({
        code: 'copy.no-such-path',
      });
    await expect(box.copyFrom('/w/loop').to(on('x'), { followLink })).rejects.toMatchObject({
      code: 'copy.refused',
    });
    for (const name of ['magic', `root/proc/1/root${tmpdir()}/${secret}`])
      await expect(box.copyFrom(`/w/${name}`).to(on('x'), { followLink })).rejects.toThrow(/copy/);
    // The same path within the container, had it such a file.
    await box.copyTo(join(tmpdir(), secret), { content: 'of the container' });
    for (const name of ['up', 'away']) {
      await box.copyFrom(`/w/${name}`).to(on('x'), { followLink });
      expect(readFileSync(on('x'), 'utf8')).toBe('of the container');
      await box.copyFrom(`/w/${name}`).to(on(name));
      expect(lstatSync(on(name)).isSymbolicLink()).toBe(true);
    }
    expect(await text(box.copyFrom('/w/root/w/away').tar({ followLink }))).toContain('of the container');
    rmSync(join(tmpdir(), secret));
  });

  test('a large file with holes goes in and out without them', async () => {
    writeFileSync(on('sparse'), 'start');
    truncateSync(on('sparse'), 20 * 2 ** 30);
    await box.copyTo('/w/sparse', on('sparse'));
    expect(
      await sh(
        'stat -c %s /w/sparse; head -c 5 /w/sparse; [ $(stat -c %b /w/sparse) -lt 100 ] && echo " sparse"',
      ),
    ).toBe(`${20 * 2 ** 30}\nstart sparse\n`);
    await box.copyFrom('/w/sparse').to(on('back'));
    expect(statSync(on('back'))).toMatchObject({ size: 20 * 2 ** 30 });
    expect(statSync(on('back')).blocks).toBeLessThan(100);
  });

  test('a tar for the host that leads through a link of its own is refused', async () => {
    const { runFileWorker } = await import('../../../src/files/run-worker.ts');
    const victim = on('victim');
    mkdirSync(victim);
    mkdirSync(on('target'));
    const unpack = (...entries: Entry[]) =>
      runFileWorker(
        { operation: 'copy-in', path: '/target', shape: 'top', name: 'target', trusted: false },
        { root: host, input: Readable.from([archive(...entries)]) },
      );
    await expect(unpack(directory('.'), symlink('l', '/victim'), file('l/x', ''))).rejects.toThrow(
      /symbolic link/,
    );
    await expect(unpack(directory('.'), symlink('m', '../../victim'), link('h', 'm/x'))).rejects.toThrow(
      /symbolic link/,
    );
    await expect(unpack(directory('.'), device('d', [1, 3]))).rejects.toThrow(/is a device/);
    expect(readdirSync(victim)).toEqual([]);
  });

  test('from one container into another', async () => {
    await using other = await startContainer({ image: await debian(), stopTimeout: 0 });
    await sh('mkdir /w/d && echo a > /w/d/a && chown 4:5 /w/d/a');
    await other.copyTo('/w', { tar: box.copyFrom('/w/d').tar() });
    expect((await other.exec(['stat', '-c', '%n %u:%g %s', '/w/d/a'])).stdout).toBe('/w/d/a 4:5 2\n');
  });

  test('without our init the copy is in the container too, and never on the host', async () => {
    await using alone = await startContainer({ image: await debian(), init: false, stopTimeout: 0 });
    const path = join(tmpdir(), `mayfly-init-${process.pid}`);
    await alone.copyTo(path, { content: 'inside' });
    expect(existsSync(path)).toBe(false);
    expect((await alone.exec(['cat', path])).stdout).toBe('inside');
  });

  test('a container that has ended says so', async () => {
    const gone = await startContainer({ image: await debian(), command: ['true'] });
    await expect.poll(async () => (await gone.inspect()).State.Running).toBe(false);
    await expect(gone.copyTo('/a', { content: '' })).rejects.toMatchObject({ code: 'container.exited' });
    await expect(gone.copyFrom('/etc/hostname').text()).rejects.toMatchObject({ code: 'container.exited' });
    await gone.stop();
  });
});
