import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEngine } from '../../../src/containers/engine.ts';
import {
  type ContainerOptions,
  type Image,
  isMayflyError,
  listContainers,
  startContainer,
} from '../../../src/index.ts';
import { call } from '../../../src/kernel/ffi/libc.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { archive, file, symlink } from '../../fixtures/tar.ts';
import { requires } from '../../requires.ts';

const F_SETFD = 2;

requires('root', 'mmdebstrap')('images that reach for the host', () => {
  let image: Image;
  /** A directory of the host that nothing may happen to. */
  let victim: string;
  beforeAll(async () => {
    image = await debian();
    victim = mkdtempSync(join(tmpdir(), 'mayfly-victim-'));
    writeFileSync(join(victim, 'ptmx'), 'untouched');
  });
  afterAll(() => rmSync(victim, { recursive: true }));

  const start = (options: Partial<ContainerOptions>) => startContainer({ image, stopTimeout: 0, ...options });

  /** Debian with one more layer: links by name, or files by name and content. */
  async function imageWith(
    links: Record<string, string>,
    files: Record<string, string> = {},
  ): Promise<Image> {
    const tar = archive(
      ...Object.entries(links).map(([name, target]) => symlink(name, target)),
      ...Object.entries(files).map(([name, content]) => file(name, content, { mode: 0o644 })),
    );
    const layer = await openEngine().images.layers.importTar(Readable.from([tar]));
    return { ...image, layers: [...image.layers, layer] };
  }

  /** The code of the error that a start ends with, when all that it made has gone again. */
  async function refusal(options: Partial<ContainerOptions>): Promise<unknown> {
    const error = await start(options).then(
      (box) => box.stop().then(() => 'started'),
      (reason: unknown) => reason,
    );
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
    return isMayflyError(error) ? error : Promise.reject(error);
  }

  test('a working directory of /proc/self/fd/N is nowhere (CVE-2024-21626)', {
    timeout: 60_000,
  }, async () => {
    const linked = await imageWith({ work: '/proc/self/fd/8' });
    const box = await start({ image: linked });
    const cwds = Array.from({ length: 62 }, (_, i) => `/proc/self/fd/${i + 3}`);
    for (const cwd of [...cwds, '/work', '/proc/1/cwd/..', '/proc/self/fd/0/..']) {
      const result = await box.exec(['pwd', '-P'], { cwd }).catch((error: unknown) => error);
      if (!isMayflyError(result)) expect((result as { stdout: string }).stdout).toBe('/\n');
    }
    await box.stop();
    for (const cwd of ['/proc/self/fd/4', '/proc/self/fd/7', '/proc/self/fd/20', '/work'])
      expect(await refusal({ image: linked, cwd })).toMatchObject({ code: 'kernel.program' });
  });

  test('descriptors that the test process has left open reach no container', async () => {
    const leaked = Array.from({ length: 20 }, (_, i) => openSync(i === 0 ? '/' : '/etc/passwd', 'r'));
    try {
      for (const fd of leaked) call('fcntl', [fd, F_SETFD, 0], 'leak a descriptor');
      await using box = await start({ command: ['sh', '-c', 'ls /proc/self/fd; exec sleep 100'] });
      const list = '0\n1\n2\n3\n';
      await expect
        .poll(async () => {
          let text = '';
          for await (const line of box.logs()) text += `${line.text}\n`;
          return text;
        })
        .toBe(list);
      expect((await box.exec(['ls', '/proc/self/fd'])).stdout).toBe(list);
    } finally {
      for (const fd of leaked) closeSync(fd);
    }
  });

  test.each([['proc'], ['sys'], ['dev']])(
    '/%s as a link is refused (CVE-2019-19921, CVE-2026-41579)',
    async (name) => {
      const linked = await imageWith({ [name]: victim });
      const error = await refusal({ image: linked });
      expect(error).toMatchObject({ code: 'kernel.program', hint: expect.stringContaining('symbolic link') });
      expect(readdirSync(victim)).toEqual(['ptmx']);
    },
  );

  test('a VOLUME does not cover /proc, nor uncover what is hidden there (CVE-2019-16884)', async () => {
    const linked = await imageWith({ volume: '/proc' });
    const Volumes = {
      '/proc': {},
      '/proc/self': {},
      '/proc//sys': {},
      '/volume': {},
      '/sys': {},
      '/dev': {},
    };
    for (const readOnly of [false, true]) {
      await using box = await start({ image: { ...linked, config: { ...image.config, Volumes } }, readOnly });
      const script = 'cat /proc/keys | wc -c; echo x > /proc/sys/kernel/hostname; stat -fc %T /proc /sys';
      const { stdout, stderr } = await box.exec(['sh', '-c', script]);
      expect(stdout).toBe('0\nproc\nsysfs\n');
      expect(stderr).toContain('Read-only file system');
    }
  });

  test.each([
    ['link', 'ln -s /proc/sys/kernel/ostype null'],
    ['file', 'echo leak > null'],
    ['pipe', 'mkfifo null'],
    ['directory', 'mkdir null'],
  ])('what is hidden is hidden by a device, though /dev/null is a %s (CVE-2025-31133)', async (_, script) => {
    const source = mkdtempSync(join(victim, 'dev-'));
    execFileSync('sh', ['-c', script], { cwd: source });
    await using box = await start({ mounts: [{ type: 'bind', source, target: '/dev' }] });
    const { stdout } = await box.exec(['sh', '-c', 'cat /proc/keys /proc/timer_list /proc/interrupts']);
    expect(stdout).toBe('');
  });

  test('settings are never written through a mount that the image has led into /proc (CVE-2025-52881)', async () => {
    const source = mkdtempSync(join(victim, 'sys-'));
    mkdirSync(join(source, 'core'));
    writeFileSync(join(source, 'core/somaxconn'), 'untouched');
    const linked = await imageWith({ innocent: '/proc/sys/net' });
    const error = await refusal({
      image: linked,
      mounts: [{ type: 'bind', source, target: '/innocent' }],
      sysctls: { 'net.core.somaxconn': '7' },
    });
    expect(error).toMatchObject({ code: 'kernel.program', errno: 'EXDEV' });
    expect(execFileSync('cat', [join(source, 'core/somaxconn')], { encoding: 'utf8' })).toBe('untouched');
  });

  test('nothing can be inherited or is ambient, whoever runs (CVE-2022-24769)', async () => {
    const script = 'grep -E "Cap(Inh|Amb)" /proc/self/status | cut -f2 | sort -u';
    for (const user of ['root', 'nobody', '1000:1000']) {
      await using box = await start({ user, capAdd: ['SYS_PTRACE'] });
      for (const options of [{}, { user: 'root' }, { user: 'nobody' }, { privileged: true }])
        expect((await box.exec(['sh', '-c', script], options)).stdout).toBe(`${'0'.repeat(16)}\n`);
    }
  });

  test.each([
    ['1000', '1000 0 0'],
    ['1000:1001', '1000 1001 1001'],
    ['www-data', '33 33 33'],
    ['www-data:tty', '33 5 5'],
    ['member', '1234 1234 1234 60 5'],
  ])('user %s has the groups that Docker gives (CVE-2022-36109)', async (user, expected) => {
    const files = {
      'etc/passwd': '1000:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:\nmember:x:1234:1234::/:\nroot:x:0:0::/:\n',
      'etc/group': 'root:x:0:\ntty:x:5:member\ngames:x:60:member\nwww-data:x:33:\nmember:x:1234:\n',
    };
    await using box = await start({ image: await imageWith({}, files), user });
    const { stdout } = await box.exec(['sh', '-c', 'id -u; id -g; id -G']);
    const [uid, gid, ...groups] = stdout.trim().split(/\s+/);
    const [wantUid, wantGid, ...wantGroups] = expected.split(' ');
    expect([uid, gid, groups.toSorted()]).toEqual([wantUid, wantGid, wantGroups.toSorted()]);
  });

  test('labels of an image are words of its own, which nobody obeys (CVE-2026-53488)', async () => {
    const Labels = {
      'mayfly.spare': 'x',
      'io.mayfly.spare': 'x',
      'org.testcontainers': 'true',
      'org.testcontainers.ryuk': 'true',
      'org.testcontainers.sessionId': 'x',
      'com.docker.compose.project': 'x',
    };
    await using box = await start({ image: { ...image, config: { ...image.config, Labels } } });
    expect((await listContainers()).map(({ id }) => id)).toContain(box.id);
    expect((await box.inspect()).Config.Labels).toEqual(Labels);
    await using other = await start({ image: { ...image, config: { ...image.config, Labels } } });
    expect(other.id).not.toBe(box.id);
    expect((await box.exec(['true'])).exitCode).toBe(0);
  });

  describe('a hostile /etc/passwd holds nobody up (CVE-2026-47262)', () => {
    const hostile: [string, () => Promise<Image>][] = [
      ['a link to /dev/zero', () => imageWith({ 'etc/passwd': '/dev/zero' })],
      ['a link to the host', () => imageWith({ 'etc/passwd': `..${victim}/ptmx` })],
      ['11 MiB', () => imageWith({}, { 'etc/passwd': 'x:x:1:1::/:\n'.repeat(1 << 20) })],
      ['a directory', () => imageWith({}, { 'etc/passwd/x': '' })],
    ];
    test.each(hostile)('%s', async (_title, make) => {
      const passwd = await make();
      await using box = await start({ image: passwd, user: '7' });
      expect((await box.exec(['id', '-u'])).stdout).toBe('7\n');
      await expect(start({ image: passwd, user: 'somebody' })).rejects.toMatchObject({
        code: 'option.unknown-user',
      });
    });
  });
});

requires(
  'root',
  'mmdebstrap',
  'gcc',
)('sockets that reach past the container (CVE-2026-31431)', () => {
  const AF_INET = 2;
  const AF_ALG = 38;
  const AF_VSOCK = 40;
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-sockets-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  /** Opens a socket by each way into the kernel that this processor has; prints an errno or 0 for each. */
  const PROGRAM = String.raw`
    #include <errno.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    static int arguments[3];
    static long via32(long number, long a, long b, long c) {
    #if defined(__x86_64__)
      long result;
      __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
      return (int)result;
    #else
      return -ENOSYS;
    #endif
    }
    int main(int count, char **words) {
      int family = atoi(words[1]);
      arguments[0] = family, arguments[1] = 1;
      long direct = syscall(SYS_socket, family, 1, 0) < 0 ? errno : 0;
      long x32 = syscall(0x40000000 | SYS_socket, family, 1, 0) < 0 ? errno : 0;
      long number = via32(359, family, 1, 0), call = via32(102, 1, (long)arguments, 0);
      printf("%ld %ld %ld %ld\n", direct, x32, number < 0 ? -number : 0, call < 0 ? -call : 0);
      return count > 2;
    }`;

  test('AF_ALG and AF_VSOCK are out of reach by every ABI', async () => {
    const source = join(directory, 'sockets.c');
    writeFileSync(source, PROGRAM);
    // Low addresses, which the 32-bit entry can take.
    execFileSync('gcc', ['-static', '-no-pie', '-o', join(directory, 'sockets'), source]);
    await using box = await startContainer({
      image: await debian(),
      stopTimeout: 0,
      mounts: [{ type: 'bind', source: directory, target: '/mnt', readOnly: true }],
    });
    const errnos = async (family: number) =>
      (await box.exec(['/mnt/sockets', String(family)])).stdout.trim().split(' ').map(Number);
    const [EPERM, ENOSYS] = [1, 38];
    const without32 = process.arch === 'x64' ? [] : [ENOSYS];
    expect(await errnos(AF_INET)).toEqual([0, ENOSYS, without32[0] ?? 0, ENOSYS]);
    for (const family of [AF_ALG, AF_VSOCK])
      expect(await errnos(family)).toEqual([EPERM, ENOSYS, without32[0] ?? EPERM, ENOSYS]);
  });
});
