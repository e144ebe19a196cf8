import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startContainer } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const FIRST = 0x7000_0000;
const LAST = 2_147_352_575;

const start = (options = {}) =>
  startContainer({
    image: 'test/debian:bookworm',
    command: ['sh', '-c', 'id -u > /proc/self/fd/1; echo up > /dev/stdout; exec sleep infinity'],
    userns: 'private',
    stopTimeout: 0,
    ...options,
  });

requires('root', 'mmdebstrap')("userns: 'private'", () => {
  beforeAll(async () => void (await debian()));
  afterAll(async () => {
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  const shell = async (box: Awaited<ReturnType<typeof start>>, script: string, user = 'root') =>
    (await box.exec(['sh', '-c', script], { user })).stdout.trim();

  test('root inside is nobody outside, from a range that nobody else has', async () => {
    await using box = await start();
    await using other = await start();
    const [map, otherMap] = await Promise.all(
      [box, other].map(async (each) =>
        (await shell(each, 'cat /proc/self/uid_map /proc/self/gid_map')).split(/\s+/).map(Number),
      ),
    );
    expect(map).toEqual([0, map![1], 65536, 0, map![1], 65536]);
    expect(map![1]).toBeGreaterThanOrEqual(FIRST);
    expect(map![1]! + 65535).toBeLessThanOrEqual(LAST);
    expect(Math.abs(map![1]! - otherMap![1]!)).toBeGreaterThanOrEqual(65536);
    // The payload is init's child.
    const { pid } = box.parts.run;
    const payload = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    expect(statSync(`/proc/${payload}`).uid).toBe(map![1]);
    const log: string[] = [];
    for await (const { text } of box.logs()) log.push(text);
    expect(log).toEqual(['0', 'up']);
  });

  test('a storage of limited size and volumes of a read-only root belong to the container’s root, too', async () => {
    const script =
      'echo x > /opt/x; chown 33:42 /opt/x; stat -c %u:%g /opt /opt/x; df -k --output=size / | tail -1';
    await using limited = await start({ storageSize: '4m' });
    expect((await shell(limited, script)).split(/\s+/)).toEqual(['0:0', '33:42', '4096']);
    const image = await debian();
    const withVolume = { ...image, config: { ...image.config, Volumes: { '/opt': {} } } };
    await using fixed = await start({ image: withVolume, readOnly: true });
    expect(await shell(fixed, `${script}; echo x > /x`)).toMatch(/^0:0\n33:42\n/);
    expect(await shell(fixed, 'ls /x 2>&1')).toContain('No such file');
  });

  test('owners inside are those of the image, and on disk they stay as they are', async () => {
    await using box = await start();
    expect(
      await shell(
        box,
        'stat -c %u:%g / /etc/passwd /etc/shadow /tmp /dev/shm /dev/null /etc/hosts; echo x > /new; chown 33:42 /new; mkdir -p /var/a/b; echo 1 >> /etc/passwd; rm /etc/motd; stat -c %u:%g /new',
      ),
    ).toBe('0:0\n0:0\n0:42\n0:0\n0:0\n0:0\n0:0\n33:42');
    const upper = join(TEST_HOME, 'containers', box.id, 'upper');
    const owner = (path: string) => [statSync(join(upper, path)).uid, statSync(join(upper, path)).gid];
    expect([owner('new'), owner('var/a/b'), owner('etc/passwd')]).toEqual([
      [33, 42],
      [0, 0],
      [0, 0],
    ]);
    expect(await shell(box, 'id -u; echo y > /tmp/y; stat -c %u /tmp/y', 'www-data')).toBe('33\n33');
    expect(await shell(box, 'echo line >> /etc/hosts && tail -1 /etc/hosts')).toBe('line');
  });

  test('has no rights over anything of the host’s', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'mayfly-private-'));
    chmodSync(scratch, 0o755);
    writeFileSync(join(scratch, 'secret'), 'secret', { mode: 0o600 });
    try {
      await using box = await start({
        mounts: [{ type: 'bind', source: scratch, target: '/host' }],
        capAdd: ['SYS_ADMIN', 'NET_ADMIN', 'SYS_PTRACE'],
        securityOpt: ['seccomp=unconfined'],
      });
      expect(
        await shell(box, 'stat -c %U /host/secret; cat /host/secret; touch /host/new; chown 0 /host/secret'),
      ).toBe('nobody');
      expect(
        await shell(
          box,
          'hostname other; mount -t tmpfs none /mnt; ip link add x type dummy; kill -9 1; cat /proc/1/environ; echo done',
        ),
      ).toBe('done');
      expect(
        await shell(
          box,
          'echo 1 > /proc/sys/net/ipv4/ip_forward; echo h > /proc/sysrq-trigger; mknod /disk b 8 0; ls /disk',
        ),
      ).toBe('');
      expect(readFileSync(join(scratch, 'secret'), 'utf8')).toBe('secret');
      expect(await shell(box, 'hostname')).toBe(box.id.slice(0, 12));
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });

  test('works with a user of the image, without our init, and on other networks', async () => {
    const command = ['sh', '-c', 'id -u; exec sleep infinity'];
    for (const options of [{ user: 'www-data' }, { init: false }, { network: 'none' }, { network: 'host' }]) {
      await using box = await start({ command, ...options });
      const own = options.user === undefined ? '0' : '33';
      expect(await shell(box, 'id -u; grep -c . /proc/self/uid_map', options.user)).toBe(`${own}\n1`);
    }
  });

  test('files are copied in and out with the owners that they have inside, and a restart keeps everything', async () => {
    await using box = await start();
    await box.copyTo('/etc/my.conf', { content: 'mine' }, { mode: 0o600 });
    expect(await shell(box, 'stat -c %u:%g:%a /etc/my.conf; chown 33 /etc/my.conf')).toBe('0:0:600');
    expect(await box.copyFrom('/etc/my.conf').text()).toBe('mine');
    const map = async () => (await shell(box, 'cat /proc/self/uid_map')).split(/\s+/);
    const before = await map();
    await box.restart();
    expect(await shell(box, 'stat -c %u:%a /etc/my.conf; cat /etc/my.conf')).toBe('33:600\nmine');
    expect(await map()).toEqual(before);
  });

  test('a preset starts from what its first start has initialised, its volumes included', async () => {
    await using db = await startContainer('postgres', { userns: 'private', database: 'app' });
    const query = (sql: string) => db.exec(['psql', '-XAtc', sql, 'app'], { user: 'postgres' });
    expect(await query('create table t (n int); insert into t values (7); select n from t')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/7\n$/),
    });
    expect((await db.inspect()).HostConfig).toMatchObject({ UsernsMode: 'private' });
  });

  test('excludes privileged', async () => {
    await expect(start({ privileged: true })).rejects.toMatchObject({ code: 'option.invalid' });
  });
});
