import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { sealContainer } from '../../../src/containers/seal.ts';
import { type ContainerOptions, type Image, startContainer } from '../../../src/index.ts';
import { hardLimit } from '../../../src/kernel/processes/resource-limits.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

requires('root', 'mmdebstrap')('what a container may do', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  const start = (options: Partial<ContainerOptions>) => startContainer({ image, stopTimeout: 0, ...options });

  /** What a shell script prints, in the first process and in an exec alike. */
  async function seen(options: Partial<ContainerOptions>, script: string): Promise<string> {
    await using box = await start({ ...options, command: ['sh', '-c', `${script}; exec sleep 1000`] });
    const { stdout, stderr } = await box.exec(['sh', '-c', script]);
    const first: string[] = [];
    await expect
      .poll(async () => {
        first.length = 0;
        for await (const { text } of box.logs()) first.push(text);
        return first.length;
      })
      .toBe((stdout + stderr).trimEnd().split('\n').length);
    expect(first.toSorted()).toEqual((stdout + stderr).trimEnd().split('\n').toSorted());
    return stdout.trimEnd();
  }

  const CAPS = "grep -E '^Cap(Inh|Prm|Bnd|Amb)' /proc/self/status | cut -f2 | paste -sd ' '";

  test('capabilities are added and dropped by name, in the bounding set too', async () => {
    const only = (bit: number) => (1n << BigInt(bit)).toString(16).padStart(16, '0');
    const none = '0'.repeat(16);
    const chown = only(0);
    expect(await seen({ capDrop: ['ALL'], capAdd: ['chown'] }, CAPS)).toBe(
      `${none} ${chown} ${chown} ${none}`,
    );
    expect(await seen({ capDrop: ['all'] }, CAPS)).toBe(`${none} ${none} ${none} ${none}`);
    const [, permitted] = (await seen({ capAdd: ['SYS_PTRACE'], capDrop: ['CAP_MKNOD'] }, CAPS)).split(' ');
    expect(BigInt(`0x${permitted}`) & (1n << 19n)).not.toBe(0n);
    expect(BigInt(`0x${permitted}`) & (1n << 27n)).toBe(0n);
  });

  test('somebody else than root has none of them', async () => {
    expect(
      await seen({ capAdd: ['SYS_PTRACE'], user: '1000' }, 'grep CapEff /proc/self/status | cut -f2'),
    ).toBe('0'.repeat(16));
  });

  test('a privileged container mounts, sees devices, and finds nothing hidden', async () => {
    const script = [
      'mount -t tmpfs none /mnt && echo mounted',
      'ls /dev/loop-control /dev/fuse 2>/dev/null | wc -l',
      'head -c1 /proc/kcore >/dev/null 2>&1 && echo kcore',
      'echo x > /proc/sys/kernel/domainname && echo sysctl',
      'grep -c Seccomp:.0 /proc/self/status',
    ].join('; ');
    await using box = await start({ privileged: true });
    const { stdout } = await box.exec(['sh', '-c', script]);
    const devices = ['/dev/loop-control', '/dev/fuse'].filter((path) => existsSync(path)).length;
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['mounted', String(devices), 'sysctl', '1']));
    expect((await box.inspect()).HostConfig.Privileged).toBe(true);
  });

  test('what a privileged container mounts stays its own', async () => {
    await using box = await start({ privileged: true });
    await box.exec(['sh', '-c', 'mkdir -p /m && mount -t tmpfs none /m && touch /m/x']);
    await using other = await start({});
    expect((await other.exec(['ls', '/m'])).exitCode).not.toBe(0);
  });

  describe('seccomp', () => {
    test('unconfined means no filter, and a file replaces the default one', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'mayfly-seccomp-'));
      const file = join(directory, 'profile.json');
      writeFileSync(
        file,
        JSON.stringify({
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }],
        }),
      );
      expect(
        await seen({ securityOpt: ['seccomp=unconfined'] }, 'grep Seccomp: /proc/self/status | cut -f2'),
      ).toBe('0');
      expect(
        await seen({ securityOpt: [`seccomp=${file}`] }, 'mkdir /x 2>&1; unshare -U true && echo unshared'),
      ).toBe(
        'mkdir: cannot create directory ‘/x’: Function not implemented\nunshared'.replaceAll(/[‘’]/g, "'"),
      );
      rmSync(directory, { recursive: true });
    });
  });

  test('no-new-privileges holds setuid programs down, and is off by default', async () => {
    const script = 'grep NoNewPrivs /proc/self/status | cut -f2';
    expect(await seen({ securityOpt: ['no-new-privileges'] }, script)).toBe('1');
    expect(await seen({ securityOpt: ['no-new-privileges:false'] }, script)).toBe('0');
    expect(await seen({}, script)).toBe('0');
  });

  test('ulimits, soft and hard, for exec as well', async () => {
    const ulimits = { nofile: { soft: 100, hard: 200 }, core: 0, fsize: -1 };
    expect(await seen({ ulimits }, 'ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -f')).toBe(
      '100\n200\n0\nunlimited',
    );
    await using box = await start({ ulimits });
    expect((await box.inspect()).HostConfig.Ulimits).toContainEqual({ Name: 'nofile', Soft: 100, Hard: 200 });
  });

  test('sysctls of its own namespaces are set, before /proc/sys is read-only', async () => {
    const sysctls = {
      'net.core.somaxconn': '1234',
      'net.ipv4.conf.eth0.rp_filter': '2',
      'kernel.msgmax': '65000',
      'fs.mqueue.msg_max': '20',
      'kernel.domainname': 'example.test',
    };
    const paths = Object.keys(sysctls).map((name) => `/proc/sys/${name.replaceAll('.', '/')}`);
    expect(await seen({ sysctls }, `cat ${paths.join(' ')}`)).toBe(Object.values(sysctls).join('\n'));
  });

  test.for([
    ['kernel.core_pattern', '|/x'],
    ['kernel.hostname', 'x'],
    ['vm.overcommit_memory', '1'],
    ['net.x', '1\nkernel.y=2'],
    ['net/../kernel/core_pattern', 'x'],
    ['net..x', '1'],
    ['', '1'],
    ['net.ipv4.ip_forward=1+kernel.x', '1'],
  ])('the sysctl %j is refused', async ([key, value]) => {
    await expect(start({ sysctls: { [key!]: value! } })).rejects.toMatchObject({
      code: 'option.sysctl-refused',
    });
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test('net sysctls are not set in the host’s own network', async () => {
    await expect(start({ network: 'host', sysctls: { 'net.core.somaxconn': '1' } })).rejects.toMatchObject({
      code: 'option.sysctl-refused',
    });
  });

  test('a read-only root file system leaves mounts, /dev/shm and tmpfs writable', async () => {
    const script = [
      'for p in /x /etc/hosts /etc/hostname /usr/x; do (echo x > $p) 2>/dev/null && echo "wrote $p"; done',
      'for p in /dev/shm/x /t/x /dev/null; do echo x > $p && echo "wrote $p"; done',
    ].join('; ');
    expect(await seen({ readOnly: true, mounts: [{ type: 'tmpfs', target: '/t' }] }, script)).toBe(
      'wrote /dev/shm/x\nwrote /t/x\nwrote /dev/null',
    );
  });

  test('a volume of the image stays writable in a read-only container, and is part of the rootfs', async () => {
    const Volumes = { '/var/data': {}, '/proc': {}, 'opt/../opt/more': {} };
    const volumes = { ...image, config: { ...image.config, Volumes } };
    const script =
      'for p in /var/data/x /opt/more/x /var/x; do (echo x > $p) 2>/dev/null && echo "wrote $p"; done; rm -f /var/data/x';
    expect(await seen({ image: volumes, readOnly: true }, script)).toBe(
      'wrote /var/data/x\nwrote /opt/more/x',
    );
  });

  test('what a container may write has a limit, which its own tools see', async () => {
    await using box = await start({ storageSize: '10m' });
    const full = await box.exec(['sh', '-c', 'head -c 12m /dev/zero > /full']);
    expect(full.stderr).toMatch(/No space left on device/);
    const { stdout } = await box.exec(['sh', '-c', 'df -k --output=size / | tail -1; ls /bin/true']);
    expect(stdout.trim()).toBe('10240\n/bin/true');
    await box.exec(['rm', '/full']);
    expect((await box.exec(['sh', '-c', 'rm /bin/true; echo x > /x; cat /x'])).stdout).toBe('x\n');
    expect((await box.inspect()).HostConfig).toMatchObject({ StorageOpt: { size: String(10 << 20) } });
    await using copy = await start({ image: await box.commit('test/of-limited-size:1') });
    expect((await copy.exec(['sh', '-c', 'cat /x; ls /bin/true'])).stdout).toBe('x\n');
    await expect(sealContainer(box)).rejects.toMatchObject({ code: 'container.storage-in-memory' });
  });

  test('extra hosts, and the host itself by host-gateway', async () => {
    await using box = await start({ extraHosts: { db: '192.0.2.7', outside: 'host-gateway' } });
    const { stdout } = await box.exec(['sh', '-c', 'getent ahostsv4 db; getent ahostsv4 outside']);
    const gateway = (await box.inspect()).NetworkSettings.Networks.default!.Gateway;
    expect(stdout.split(/\s+/)).toEqual(expect.arrayContaining(['192.0.2.7', 'db', gateway, 'outside']));
  });

  test('an exec can be privileged in a container that is not', async () => {
    await using box = await start({});
    const caps = async (privileged: boolean) =>
      (
        await box.exec(['sh', '-c', 'grep CapEff /proc/self/status; grep Seccomp: /proc/self/status'], {
          privileged,
        })
      ).stdout;
    expect(await caps(false)).toContain('Seccomp:\t2');
    expect(await caps(true)).toContain('Seccomp:\t0');
    expect(await caps(true)).not.toBe(await caps(false));
  });

  test.for([
    [{ capAdd: ['NO_SUCH'] }, 'option.unknown-capability'],
    [{ securityOpt: ['seccomp=/no/such/file'] }, 'option.bad-seccomp-profile'],
    [{ securityOpt: ['apparmor=x'] }, 'option.unknown-security-opt'],
    [{ securityOpt: ['nonsense'] }, 'option.unknown-security-opt'],
    [{ ulimits: { nonsense: 1 } }, 'option.invalid'],
    [{ ulimits: { nofile: { soft: 2, hard: 1 } } }, 'option.invalid'],
    [{ ulimits: { nofile: 1.5 } }, 'option.invalid'],
    [{ platform: 'linux/s390x' }, 'container.foreign-platform'],
    [{ extraHosts: { 'a b': '192.0.2.1' } }, 'option.invalid'],
    [{ extraHosts: { a: 'nowhere' } }, 'option.invalid'],
    [{ ipc: { container: 'no-such-container' } }, 'container.not-found'],
    [{ storageSize: 0 }, 'option.invalid'],
    [{ mounts: [{ type: 'tmpfs', target: '/' }] }, 'container.mount-refused'],
    [{ mounts: [{ type: 'tmpfs', target: '/proc' }] }, 'container.mount-refused'],
    [{ mounts: [{ type: 'bind', source: '/tmp', target: '/x/..//proc//sys/' }] }, 'container.mount-refused'],
  ] as const)('%j is refused with %s, and nothing is left', async ([options, code]) => {
    await expect(start(options as Partial<ContainerOptions>)).rejects.toMatchObject({ code });
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test('a ulimit above our own is refused where we may not raise it', async () => {
    const own = hardLimit('nofile');
    const raising = start({ ulimits: { nofile: own + 1 } });
    // CI's root has no CAP_SYS_RESOURCE; where there is one, the kernel's own ceiling is in the way.
    await expect(raising).rejects.toMatchObject({
      code: expect.stringMatching(/^(host\.ulimit-too-high|kernel\.program)$/),
    });
    expect(readdirSync('/proc/self/fd').length).toBeGreaterThan(0);
  });
});
