import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Check } from '../../../src/containers/doctor/check.ts';
import type { Diagnosis } from '../../../src/containers/doctor/doctor.ts';
import { mayfly } from '../../fixtures/cli.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'mayfly-doctor-test-'));
  chmodSync(home, 0o777);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

interface Examined {
  exitCode: number | undefined;
  rung: Diagnosis['rung'];
  check(id: string): Check | undefined;
}

/** Runs it within another command, such as unshare(1). */
async function examine(within: string[] = [], env: Record<string, string> = {}): Promise<Examined> {
  const words = ['doctor', '--format', 'json'];
  const { exitCode, stdout, stderr } = await mayfly(words, { within, env: { MAYFLY_HOME: home, ...env } });
  expect(stderr).toBe('');
  const { rung, checks } = JSON.parse(stdout) as Diagnosis;
  return { exitCode, rung, check: (id) => checks.find((check) => check.id === id) };
}

const AS_USER = ['setpriv', '--reuid', 'mayfly-test', '--regid', 'mayfly-test', '--init-groups'];
/** Runs a script, and then what follows, in a mount namespace whose mounts are nobody else's. */
const afterMounting = (script: string) => ['unshare', '--mount', 'sh', '-ec', `${script}; exec "$@"`, 'sh'];

requires('root')('mayfly doctor as root', () => {
  test('finds that containers start, and leaves nothing', async () => {
    const cgroups = () =>
      readdirSync('/sys/fs/cgroup', { recursive: true }).filter((name) => /doctor-/.test(String(name)));
    const { exitCode, rung, check } = await examine();
    expect({ exitCode, rung }).toEqual({ exitCode: 0, rung: 'root' });
    // One for each thing that an issue about this machine would be asked for.
    const all = ['surroundings', 'user', 'user-namespaces', 'apparmor', 'cgroups', 'controllers', 'overlay'];
    for (const id of [...all, 'reflink', 'nat', 'firewall', 'netem', 'bridge'])
      expect(check(id)).toBeDefined();
    for (const id of ['kernel', 'namespaces', 'overlay', 'home', 'bridge'])
      expect(check(id)).toMatchObject({ status: 'ok' });
    expect(readdirSync(home)).toEqual([]);
    expect(cgroups()).toEqual([]);
    await expectNoLeaks(home);
  });

  test('makes no home where there is none yet', async () => {
    const { exitCode, check } = await examine([], { MAYFLY_HOME: join(home, 'a/b') });
    expect(exitCode).toBe(0);
    expect(check('home')).toMatchObject({ status: 'ok', found: join(home, 'a/b') });
    expect(readdirSync(home)).toEqual([]);
  });

  test('names the capabilities that this process lacks, and what that means', async () => {
    const { exitCode, check } = await examine(['setpriv', '--bounding-set', '-sys_resource']);
    expect(exitCode).toBe(0);
    expect(check('capabilities')).toMatchObject({
      status: 'lacking',
      found: expect.stringContaining('all but'),
      effect: expect.stringContaining('without CAP_SYS_RESOURCE limits'),
      fix: expect.stringContaining('CAP_SYS_RESOURCE'),
    });
  });

  test('prints a table without colours where nobody looks at a terminal, and a remedy for each shortfall', async () => {
    const { stdout } = await mayfly(['doctor'], {
      env: { MAYFLY_HOME: home, FORCE_COLOR: '' },
      within: ['setpriv', '--bounding-set', '-sys_resource'],
    });
    expect(stdout).toMatch(/^ok +overlay +can be mounted$/m);
    expect(stdout).toMatch(
      /^capabilities: without CAP_SYS_RESOURCE .*\n {2}give this process CAP_SYS_RESOURCE/m,
    );
    expect(stdout).toMatch(/\nContainers start here, as root\.$/);
    expect(stdout).not.toContain('\x1b');
  });

  test('an overlay cannot lie on another', async () => {
    const script = `mount -t tmpfs none ${home}; cd ${home}; mkdir l u w m; mount -t overlay -o lowerdir=l,upperdir=u,workdir=w none m`;
    const { exitCode, rung, check } = await examine(afterMounting(script), { MAYFLY_HOME: join(home, 'm') });
    expect({ exitCode, rung }).toEqual({ exitCode: 1, rung: 'none' });
    expect(check('overlay')).toMatchObject({ status: 'missing', found: 'mount an overlay: EINVAL' });
  });

  test('a home that cannot be written to is no home', async () => {
    const script = `mount -t tmpfs -o ro none ${home}`;
    const { exitCode, check } = await examine(afterMounting(script));
    expect(exitCode).toBe(1);
    expect(check('home')).toMatchObject({
      status: 'missing',
      found: `${home} cannot be written to: EROFS`,
      fix: expect.stringContaining('MAYFLY_HOME'),
    });
  });

  test('there have to be namespaces left', async () => {
    // The limit is that of a user namespace, and so nobody else's.
    const script = 'echo 0 > /proc/sys/user/max_net_namespaces';
    const { exitCode, check } = await examine([
      'unshare',
      '--user',
      '--map-root-user',
      'sh',
      '-ec',
      `${script}; exec "$@"`,
      'sh',
    ]);
    expect(exitCode).toBe(1);
    expect(check('namespaces')).toMatchObject({
      status: 'missing',
      found: expect.stringMatching(/ENOSPC$/),
      fix: 'sysctl -w user.max_net_namespaces=10000',
    });
  });

  test('root of a user namespace may not do what root may', async () => {
    const { exitCode, rung, check } = await examine(['unshare', '--user', '--map-root-user']);
    expect({ exitCode, rung }).toEqual({ exitCode: 1, rung: 'none' });
    expect(check('namespaces')).toMatchObject({ status: 'ok' });
    expect(check('interfaces')).toMatchObject({ status: 'lacking', found: expect.stringMatching(/EPERM$/) });
    expect(check('device-control')).toMatchObject({ status: 'missing' });
  });
});

requires('root', 'cgroup2')('mayfly doctor and cgroups', () => {
  const mounts = () =>
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => / - cgroup2? /.test(line))
      .map((line) => line.split(' ')[4]!);

  test('a read-only cgroup2 takes no container', async () => {
    const script = mounts()
      .map((path) => `mount -o remount,ro,bind ${path}`)
      .join('; ');
    const { exitCode, check } = await examine(afterMounting(script));
    expect(exitCode).toBe(1);
    expect(check('cgroups')).toMatchObject({
      status: 'missing',
      found: expect.stringMatching(/EROFS$/),
      fix: expect.stringContaining('mount -o remount,rw'),
    });
    expect(check('controllers')).toMatchObject({ status: 'lacking', found: 'none' });
  });

  test('without any cgroup file system there is no limit', async () => {
    const script = mounts()
      .reverse()
      .map((path) => `umount -l ${path}`)
      .join('; ');
    const { exitCode, check } = await examine(afterMounting(script));
    expect(exitCode).toBe(1);
    expect(check('cgroups')).toMatchObject({
      status: 'missing',
      found: 'not mounted',
      fix: expect.stringContaining('mount -t cgroup2'),
    });
  });
});

requires('root', 'ordinary-user')('mayfly doctor as an ordinary user', () => {
  test('tries what such a user may, and leaves nothing', async () => {
    const { exitCode, rung, check } = await examine(AS_USER);
    expect({ exitCode, rung }).toEqual({ exitCode: 0, rung: 'rootless' });
    for (const id of ['namespaces', 'user-namespaces', 'subordinate-ids', 'overlay', 'bridge', 'home'])
      expect(check(id)).toMatchObject({ status: 'ok' });
    expect(check('overlay')!.found).toBe('in a user namespace');
    expect(check('apparmor')).toMatchObject({ id: 'apparmor' });
    expect(check('cgroups')!.found).toMatch(
      /^(v1|v2|hybrid, v1 and v2); .* delegated to this user.*; not used without root$/,
    );
    for (const id of ['cgroups', 'nat']) expect(check(id)).toMatchObject({ status: 'lacking' });
    expect(readdirSync(home)).toEqual([]);
    await expectNoLeaks(home);
  });

  test('ids of its own are needed', async () => {
    const script = `grep -v mayfly-test /etc/subuid > ${home}/subuid || true; mount --bind ${home}/subuid /etc/subuid`;
    const { exitCode, check } = await examine([...afterMounting(script), ...AS_USER]);
    expect(exitCode).toBe(1);
    expect(check('subordinate-ids')).toMatchObject({
      status: 'missing',
      found: '0 uids and 65536 gids for mayfly-test',
      fix: expect.stringMatching(/^sudo usermod --add-subuids .* mayfly-test/),
    });
  });

  test('newuidmap is needed', async () => {
    const script = `mount --bind /dev/null /usr/bin/newuidmap`;
    const { exitCode, check } = await examine([...afterMounting(script), ...AS_USER]);
    expect(exitCode).toBe(1);
    expect(check('subordinate-ids')).toMatchObject({ status: 'missing', found: 'newuidmap: EACCES' });
  });

  test('newuidmap has no power in a process that cannot gain privileges', async () => {
    const { check } = await examine([...AS_USER, '--no-new-privs']);
    expect(check('subordinate-ids')).toMatchObject({
      status: 'missing',
      fix: expect.stringContaining('no_new_privs'),
    });
    expect(check('surroundings')!.found).toContain('without new privileges');
  });

  test('a /proc with covered parts forbids a new one', async () => {
    const { exitCode, check } = await examine([
      ...afterMounting('mount --bind /dev/null /proc/interrupts'),
      ...AS_USER,
    ]);
    expect(exitCode).toBe(1);
    expect(check('namespaces')).toMatchObject({
      status: 'missing',
      found: 'mount proc: EPERM',
      fix: expect.stringContaining('unmask'),
    });
  });
});
