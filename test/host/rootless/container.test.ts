import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { GREETER } from '../../fixtures/greeter.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { installForUser, type UserInstallation } from '../../fixtures/user-installation.ts';
import { requires } from '../../requires.ts';

const IMAGE = 'test/debian:bookworm';

/** Modules of the user's; each prints one line of JSON. */
const PRELUDE = `
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { importImage, startContainer, Wait } from 'mayfly';
const GREETER = ${JSON.stringify(GREETER)};
const image = '${IMAGE}';
const say = (value) => console.log(JSON.stringify(value));
const greet = async (port, host) => (await buffer(connect({ port, host }))).toString();
const withBox = async (options, use) => {
  const box = await startContainer({ image, command: ['sleep', 'infinity'], stopTimeout: 0, ...options });
  try { return await use(box); } finally { await box.stop(); }
};
const shell = (box) => async (script) => (await box.exec(['sh', '-c', script])).stdout.trim();
const caught = (promise) => promise.then(() => 'no error', ({ code, message }) => say({ code, message }));
`;

requires(
  'root',
  'ordinary-user',
  'mmdebstrap',
  'build',
)('an ordinary user', () => {
  let install: UserInstallation;
  const run = (code: string, options = {}) => install.run(PRELUDE + code, options);

  beforeAll(async () => {
    install = await installForUser();
    await run(`say((await importImage(process.env.TARBALL, { reference: image })).layers.length);`);
  });
  afterEach(async () => {
    await expectNoLeaks(install.home);
    expect(leftOnDisk(install.home)).toEqual([]);
  });
  afterAll(async () => install?.[Symbol.asyncDispose]());

  test('starts a container, executes in it, reads its log, reaches its port, and stops it', async () => {
    const facts = await run(`
      const box = await startContainer({ image, command: GREETER, ports: [80], waitFor: Wait.forListeningPorts() });
      const lines = [];
      for await (const { text } of box.logs()) lines.push(text);
      const { stdout } = await box.exec(['sh', '-c', 'read x; id -u; echo $x'], { stdin: 'given\\n' });
      const { Ports } = (await box.inspect()).NetworkSettings;
      const facts = {
        lines, stdout, host: box.host,
        bound: Ports['80/tcp'].map(({ HostIp, HostPort }) => [HostIp, HostPort === String(box.port)]),
        greetings: [await greet(box.port, '127.0.0.1'), await greet(box.port, '::1')],
      };
      await box.stop();
      const refused = await greet(box.port, '127.0.0.1').catch(({ code }) => code);
      say({ ...facts, refused });
    `);
    expect(facts).toEqual({
      lines: ['up'],
      stdout: '0\ngiven\n',
      host: '127.0.0.1',
      bound: [
        ['127.0.0.1', true],
        ['::1', true],
      ],
      greetings: ['hello\n', 'hello\n'],
      refused: 'ECONNREFUSED',
    });
  });

  test('limits what a container writes, and is told that he cannot commit what lies in memory', async () => {
    const facts = await run(`
      await withBox({ storageSize: '4m' }, async (box, sh = shell(box)) => {
        const error = await sh('head -c 6m /dev/zero 2>&1 > /full; rm /full; echo x > /x');
        const { code } = await box.commit().catch((reason) => reason);
        say({ error, code, file: await sh('cat /x; stat -c %u:%g /x') });
      });
    `);
    expect(facts).toEqual({
      error: expect.stringContaining('No space left on device'),
      code: 'container.storage-in-memory',
      file: 'x\n0:0',
    });
  });

  test('has the users of the image inside, and outside only his own ids', async () => {
    const facts = (await run(`
      await withBox({}, async (box, sh = shell(box)) => say({
        map: (await sh('cat /proc/self/uid_map')).split('\\n').map((line) => line.trim().split(/\\s+/).map(Number)),
        nobody: (await box.exec(['id', '-u'], { user: 'nobody' })).stdout.trim(),
        owners: await sh('echo x > /x; chown 33:42 /x; stat -c %u:%g /x /etc/shadow /etc/passwd'),
        files: await sh('install -d -o 33 -m 700 /var/deep/er && echo y > /var/deep/er/y && cat /var/deep/er/y'),
        capabilities: (await sh('grep CapBnd /proc/self/status')).split(/\\s+/)[1],
      }));
    `)) as { map: number[][] };
    expect(facts).toMatchObject({
      nobody: '65534',
      owners: '33:42\n0:42\n0:0',
      files: 'y',
      capabilities: '00000000a80425fb',
    });
    expect(facts.map[0]).toEqual([0, install.uid, 1]);
    expect(facts.map.slice(1).every(([, outside]) => outside! >= 100000)).toBe(true);
  });

  test('gets the same restrictions as root’s containers', async () => {
    expect(
      await run(`
        await withBox({}, async (box, sh = shell(box)) => say({
          devices: await sh('for d in null zero full random urandom tty; do [ -c /dev/$d ] && printf "$d "; done; head -c 4 /dev/zero | wc -c'),
          mknod: await sh('mknod /tmp/zero c 1 5 2>&1; mknod /tmp/disk b 8 0 2>&1'),
          sysctls: await sh('cat /proc/sys/net/ipv4/ip_unprivileged_port_start; echo 1 > /proc/sys/net/ipv4/ip_forward'),
          masked: await sh('cat /proc/keys /proc/timer_list; ls /sys/firmware /proc/acpi | grep -v :'),
          mounts: await sh('mount -t tmpfs none /mnt 2>&1 | grep -c denied; mount -o remount,rw /proc/sys 2>&1 | grep -c denied; umount /proc/keys 2>/dev/null || echo kept'),
          unshare: await sh('unshare --user true 2>&1'),
          routes: await sh('grep -c ^eth0 /proc/net/route; grep -c 00000000.00000000 /proc/net/route'),
        }));
      `),
    ).toEqual({
      devices: 'null zero full random urandom tty 4',
      mknod: expect.stringMatching(/^mknod: .*not permitted\nmknod: .*not permitted$/),
      sysctls: '0',
      masked: '',
      mounts: '1\n1\nkept',
      unshare: 'unshare: unshare failed: Operation not permitted',
      routes: '1\n0',
    });
  });

  test('has containers without our init, without a network, and with the host’s', async () => {
    expect(
      await run(`
        const seen = {};
        for (const [name, options] of Object.entries({ own: { init: false }, none: { network: 'none' }, host: { network: 'host' } })) {
          seen[name] = await withBox(options, (box) => shell(box)('cat /proc/1/comm; ls /sys/class/net; id -u; touch /sys/x 2>&1 | grep -c Read-only'));
        }
        say(seen);
      `),
    ).toEqual({
      own: expect.stringMatching(/^sleep\neth0\nlo\n0\n1$/),
      none: expect.stringMatching(/\nlo\n0\n1$/),
      host: expect.stringMatching(/\nlo\n0\n1$/),
    });
  });

  test('has containers that reach each other, whichever of his processes started them', async () => {
    const answer = await run(`
      import { execFileSync } from 'node:child_process';
      const server = await startContainer({ image, command: GREETER, ports: [80], waitFor: Wait.forListeningPorts() });
      const other = \`
        import { startContainer } from 'mayfly';
        const client = await startContainer({ image: '${IMAGE}', command: ['sleep', 'infinity'] });
        const { stdout } = await client.exec(['bash', '-c', 'exec 3<>/dev/tcp/\${server.ipAddress}/80 && cat <&3']);
        console.log(stdout);
        await client.stop();
      \`;
      say(execFileSync(process.execPath, ['--input-type=module', '--eval', other], { encoding: 'utf8' }));
      await server.stop();
    `);
    expect(answer).toBe('hello\n\n');
  });

  test('copies files in and out, and starts a container again under the same port', async () => {
    expect(
      await run(`
        await withBox({ command: GREETER, ports: [80], waitFor: Wait.forListeningPorts() }, async (box) => {
          const sh = shell(box);
          await box.copyTo('/etc/my.conf', { content: 'mine' }, { mode: 0o600 });
          await sh('chown 33 /etc/my.conf');
          const copied = await box.copyFrom('/etc/my.conf').text();
          const before = box.port;
          await box.restart();
          for (;;) { if (await greet(box.port, '127.0.0.1').catch(() => '') === 'hello\\n') break; }
          say({ copied, same: box.port === before, kept: await sh('stat -c %u:%a /etc/my.conf') });
        });
      `),
    ).toEqual({ copied: 'mine', same: true, kept: '33:600' });
  });

  test('commits and exports a container, owners and what is hidden included', async () => {
    const seen = await run(`
      const look = 'cat /file; stat -c %u:%g /file; ls /etc/issue 2>/dev/null || echo gone';
      await withBox({}, async (box) => {
        await shell(box)('echo hello > /file; chown 5:6 /file; rm /etc/issue');
        const committed = await box.commit('committed:1', { pause: false });
        const tar = process.env.HOME + '/box.tar';
        await box.export(tar, { pause: false });
        const exported = await importImage(tar, { reference: 'exported:1' });
        const looks = [];
        for (const image of [committed, exported]) looks.push(await withBox({ image }, (other) => shell(other)(look)));
        say({ looks, layers: exported.layers.length });
      });`);
    const look = 'hello\n5:6\ngone';
    expect(seen).toEqual({ looks: [look, look], layers: 1 });
  });

  test('can set no limits, and a start that wants one leaves nothing', async () => {
    expect(
      await run(`await caught(startContainer({ image, command: ['true'], memory: '64m' }));`),
    ).toMatchObject({
      code: 'cgroup.not-delegated',
    });
  });

  test('is told what is missing', async () => {
    const start = `await caught(startContainer({ image, command: ['true'] }));`;
    expect(await run(start, { env: { PATH: '/nonexistent' } })).toMatchObject({
      code: 'host.no-newuidmap',
      message: expect.stringContaining('apt-get install uidmap'),
    });
    const home = mkdtempSync('/var/tmp/mayfly-nobody-');
    try {
      // Nobody has no ids of his own; the image is found in another home, so that nothing but the ids is missing.
      chownSync(home, 65534, 65534);
      chmodSync(home, 0o700);
      const importing = `await caught(importImage(process.env.TARBALL, { reference: image }));`;
      const nobody = { uid: 65534, gid: 65534, env: { MAYFLY_HOME: home } };
      expect(await run(importing, nobody)).toMatchObject({
        code: 'host.no-subordinate-ids',
        message: expect.stringContaining('usermod --add-subuids'),
      });
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});
