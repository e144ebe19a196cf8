import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Image, startContainer } from '../../../src/index.ts';
import { readDeviceNode } from '../../../src/kernel/devices/device-node.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

const SECRET = 'what only the host may read';

requires(
  'root',
  'mmdebstrap',
  'losetup',
)('devices', () => {
  let image: Image;
  let scratch: string;
  /** A disk of the host: a loop device with a file of ours below. */
  let disk: string;
  beforeAll(async () => {
    image = await debian();
    scratch = mkdtempSync(join(tmpdir(), 'mayfly-disk-'));
    writeFileSync(join(scratch, 'disk'), SECRET.padEnd(1 << 20));
    disk = (await execa('losetup', ['--find', '--show', join(scratch, 'disk')])).stdout;
  });
  afterAll(async () => {
    await execa('losetup', ['--detach', disk]);
    rmSync(scratch, { recursive: true });
  });

  test('the disk of the host cannot be read, although a node for it can be made', async () => {
    const { major, minor } = readDeviceNode(disk);
    const read = `head -c ${SECRET.length}`;
    expect((await execa('sh', ['-c', `${read} ${disk}`])).stdout).toBe(SECRET);
    await using box = await startContainer({ image });
    const script = `mknod /disk b ${major} ${minor} && echo made && ${read} /disk`;
    expect(await box.exec(['sh', '-c', script])).toMatchObject({
      exitCode: 1,
      stdout: 'made\n',
      stderr: expect.stringContaining('Operation not permitted'),
    });
  });

  test('memory, the kernel log and fuse are as far away', async () => {
    await using box = await startContainer({ image });
    const script = `mknod /mem c 1 1; mknod /kmsg c 1 11; mknod /fuse c 10 229
      for node in mem kmsg fuse; do head -c 1 /$node 2>&1; done; echo > /kmsg`;
    const { stdout, stderr } = await box.exec(['sh', '-c', script]);
    expect(stdout.match(/Operation not permitted/g)).toHaveLength(3);
    expect(stderr).toContain('cannot create /kmsg: Operation not permitted');
  });

  test('the usual ones work, pseudo terminals included, for the first process and for an exec', async () => {
    const script = `set -e
      for node in zero full random urandom; do head -c 1 /dev/$node | wc -c; done
      echo > /dev/null
      script -qec true /dev/null && echo terminal`;
    await using box = await startContainer({ image });
    expect(await box.exec(['sh', '-c', script])).toMatchObject({
      exitCode: 0,
      stdout: '1\n1\n1\n1\nterminal\n',
    });
  });

  test('a device that was asked for can be used as far as was asked', async () => {
    await using box = await startContainer({
      image,
      devices: [{ host: disk, container: '/dev/disks/first', access: 'r' }],
    });
    const script = `head -c ${SECRET.length} /dev/disks/first; exec 3>>/dev/disks/first`;
    const { stdout, stderr } = await box.exec(['sh', '-c', script]);
    expect(stdout).toBe(SECRET);
    expect(stderr).toContain('Operation not permitted');
    expect((await box.inspect()).HostConfig).toMatchObject({
      Devices: [{ PathOnHost: disk, PathInContainer: '/dev/disks/first', CgroupPermissions: 'r' }],
    });
  });

  test('a node outside /dev replaces what the image has there, and no link leads it elsewhere', async () => {
    await using box = await startContainer({
      image,
      devices: [{ host: '/dev/zero', container: '/etc/hostname2' }],
    });
    expect((await box.exec(['stat', '-c', '%F %t:%T %a', '/etc/hostname2'])).stdout).toBe(
      'character special file 1:5 666\n',
    );
  });
});
