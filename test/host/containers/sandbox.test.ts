import { readlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Container, startContainer } from '../../../src/index.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

requires('root', 'mmdebstrap')('a container from the inside', () => {
  let box: Container;
  const sh = async (script: string, user?: string) => {
    const result = await box.exec(['sh', '-c', script], user === undefined ? {} : { user });
    return result.stdout.trim();
  };
  beforeAll(async () => {
    box = await startContainer({ image: await debian(), command: ['sleep', 'infinity'], hostname: 'box' });
  });
  afterAll(() => box.stop());

  test.each(['pid', 'mnt', 'net', 'ipc', 'uts', 'cgroup'])(
    'it has a %s namespace of its own',
    async (name) => {
      const inside = await sh(`readlink /proc/self/ns/${name}`);
      expect(inside).toMatch(new RegExp(`^${name}:\\[\\d+\\]$`));
      expect(inside).not.toBe(readlinkSync(`/proc/self/ns/${name}`));
    },
  );

  test('PID 1 is our init, and it sees the container’s processes only', async () => {
    expect(await sh('tr "\\0" " " < /proc/1/cmdline; ls -d /proc/[0-9]* | wc -l')).toMatch(
      /^mayfly-shim \w{64} [3-6]$/,
    );
  });

  test('root has Docker’s default capabilities and nothing to inherit', async () => {
    expect(await sh('grep Cap /proc/self/status')).toMatchInlineSnapshot(`
      "CapInh:	0000000000000000
      CapPrm:	00000000a80425fb
      CapEff:	00000000a80425fb
      CapBnd:	00000000a80425fb
      CapAmb:	0000000000000000"
    `);
  });

  test('another user has no capabilities, whatever is left in the bounding set', async () => {
    expect(await sh('grep -E "Cap(Prm|Eff)" /proc/self/status', 'nobody')).toBe(
      'CapPrm:\t0000000000000000\nCapEff:\t0000000000000000',
    );
  });

  test('a seccomp filter is in force', async () => {
    expect(await sh('grep Seccomp: /proc/self/status')).toBe('Seccomp:\t2');
    expect(await sh('unshare --mount true 2>&1; mount -t tmpfs none /mnt 2>&1')).toMatch(
      /not permitted.*denied|not permitted/s,
    );
  });

  test('the payload has its three descriptors and no other', async () => {
    expect(await sh('ls /proc/self/fd | tr "\\n" " "')).toBe('0 1 2 3');
    expect(await sh('readlink /proc/$$/fd/3 || echo none')).toBe('none');
  });

  test('init holds nothing of the host, and its binary is out of reach', async () => {
    expect(await sh('ls /proc/1/fd | tr "\\n" " "; readlink /proc/1/exe || echo refused')).toBe(
      '0 1 2 refused',
    );
  });

  test('the mounts are Docker’s', async () => {
    const mounts = await sh(`awk '{ print $5, $6 }' /proc/self/mountinfo | sort`);
    expect(mounts).toContain('/proc rw,nosuid,nodev,noexec,relatime');
    expect(mounts).toContain('/sys ro,nosuid,nodev,noexec,relatime');
    expect(mounts).toContain('/sys/fs/cgroup ro,nosuid,nodev,noexec,relatime');
    expect(mounts).toContain('/dev rw,nosuid');
    for (const place of ['/dev/mqueue', '/dev/shm'])
      expect(mounts).toContain(`${place} rw,nosuid,nodev,noexec,relatime`);
    expect(mounts).toContain('/dev/pts rw,nosuid,noexec,relatime');
  });

  test('/dev has the six nodes and the links', async () => {
    expect(
      await sh(
        'cd /dev; stat -c "%n %t:%T %a" null zero full random urandom tty; ls -l | grep -- "->" | sed "s/.* \\([a-z]* ->\\)/\\1/"',
      ),
    ).toMatchInlineSnapshot(`
        "null 1:3 666
        zero 1:5 666
        full 1:7 666
        random 1:8 666
        urandom 1:9 666
        tty 5:0 666
        core -> /proc/kcore
        fd -> /proc/self/fd
        ptmx -> pts/ptmx
        stderr -> /proc/self/fd/2
        stdin -> /proc/self/fd/0
        stdout -> /proc/self/fd/1"
      `);
  });

  test('what tells about the host is hidden, what steers it cannot be written', async () => {
    expect(
      await sh('cat /proc/interrupts /proc/keys /proc/timer_list | wc -c; ls /sys/firmware | wc -l'),
    ).toBe('0\n0');
    expect(
      await sh('for f in sys/kernel/hostname sys/kernel/core_pattern; do echo x > /proc/$f; done 2>&1'),
    ).toMatch(/Read-only file system[\s\S]*Read-only file system/);
    expect(await sh('mkdir /sys/fs/cgroup/unified/x /sys/fs/cgroup/x 2>&1; echo $?')).toMatch(/1$/);
  });

  test('hostname, hosts and resolv.conf are written', async () => {
    expect(await sh('hostname; cat /etc/hostname')).toBe('box\nbox');
    expect(await sh('cat /etc/hosts')).toContain(`${box.ipAddress}\tbox`);
    expect(await sh('grep -c nameserver /etc/resolv.conf')).not.toBe('0');
  });

  test('low ports and pings are for everybody', async () => {
    expect(
      await sh('cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range'),
    ).toBe('0\n0\t2147483647');
  });

  test('descriptors of the test process do not leak in, and its environment neither', async () => {
    process.env.MAYFLY_TEST_SECRET = 'do-not-tell';
    expect(await sh('cat /proc/*/environ 2>/dev/null | tr "\\0" "\\n" | grep -c do-not-tell')).toBe('0');
  });
});
