import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, expect, test } from 'vitest';
import {
  type Container,
  getContainer,
  getSnapshot,
  type Image,
  listSnapshots,
  pruneImages,
  pruneSnapshots,
  startContainer,
  Wait,
} from '../../../src/index.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('snapshots', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });
  afterEach(() => pruneSnapshots({ olderThan: 0 }));

  const sleeper = (options = {}) =>
    startContainer({ image, command: ['sleep', 'infinity'], stopTimeout: 0, ...options });
  const sh = async (box: Container, script: string) => (await box.exec(['sh', '-c', script])).stdout;
  /** Answers each connection with the content of a file. */
  const SERVER = `use IO::Socket::INET;
    my $l = IO::Socket::INET->new(LocalPort => 7000, Listen => 9, ReuseAddr => 1) or die; print "ready\\n";
    while (my $c = $l->accept) { open my $f, '<', '/state'; print $c (<$f>); close $c; }`;
  const server = (options = {}) =>
    sleeper({
      command: ['perl', '-e', `$| = 1; ${SERVER}`],
      ports: [7000],
      waitFor: Wait.forLogMessage('ready'),
      ...options,
    });
  const ask = (box: Container) => text(connect({ host: box.host, port: box.port }));

  test('the container goes on, and others begin with what it had written at that instant', async () => {
    await using box = await sleeper();
    await sh(
      box,
      'mkdir /data; echo one > /data/file; ln -s file /data/link; rm /etc/issue; chmod 4711 /data/file',
    );
    await using snapshot = await box.snapshot();
    expect(snapshot.method).toMatch(/^(copy|reflink)$/);
    expect(snapshot.container).toEqual({ id: box.id, name: box.name });
    await sh(box, 'echo two > /data/file');
    await using first = await snapshot.start();
    await using second = await snapshot.start({ env: { A: '1' } });
    const script = 'cat /data/link; stat -c %a /data/file; test -e /etc/issue || echo gone; echo $A';
    expect(await sh(first, script)).toBe('one\n4711\ngone\n\n');
    await sh(first, 'echo three > /data/file');
    expect(await sh(second, script)).toBe('one\n4711\ngone\n1\n');
    expect(await sh(box, 'cat /data/file')).toBe('two\n');
    expect(new Set([box, first, second].map(({ ipAddress }) => ipAddress)).size).toBe(3);
    expect(new Set([box, first, second].map(({ name }) => name)).size).toBe(3);
  });

  test('a restore keeps handle, id, name, address, host port and network namespace', async () => {
    await using box = await server({ ports: [{ container: 7000 }], name: 'restored' });
    const namespace = await sh(box, 'readlink /proc/self/ns/net');
    const mac = await sh(box, 'cat /sys/class/net/eth0/address');
    await sh(box, 'echo pristine > /state; echo old > /old');
    await using snapshot = await box.snapshot();
    const { id, ipAddress, port } = box;
    await sh(box, 'echo changed > /state; rm /old; echo new > /new');
    expect(await ask(box)).toBe('changed\n');
    for (let round = 0; round < 3; round += 1) {
      await box.restore(snapshot);
      expect({ id: box.id, ipAddress: box.ipAddress, port: box.port }).toEqual({ id, ipAddress, port });
      expect(await ask(box)).toBe('pristine\n');
      expect(await sh(box, 'cat /old; test -e /new || echo gone')).toBe('old\ngone\n');
      expect(await sh(box, 'readlink /proc/self/ns/net')).toBe(namespace);
      expect(await sh(box, 'cat /sys/class/net/eth0/address')).toBe(mac);
      await sh(box, 'echo round > /state; rm /old; touch /new');
    }
    const found = await getContainer('restored');
    expect(found.id).toBe(id);
    expect(found.ipAddress).toBe(ipAddress);
    expect((await box.inspect()).State.Running).toBe(true);
  });

  test('who connects to a published port during a restore is served afterwards', async () => {
    await using box = await server({ ports: [{ container: 7000 }] });
    await sh(box, 'echo pristine > /state');
    await using snapshot = await box.snapshot();
    await sh(box, 'echo changed > /state');
    const restoring = box.restore(snapshot);
    const outcomes: string[] = [];
    let done = false;
    restoring.finally(() => {
      done = true;
    });
    while (!done) outcomes.push(await ask(box).catch((error: NodeJS.ErrnoException) => `${error.code}`));
    await restoring;
    expect(await ask(box)).toBe('pristine\n');
    expect(outcomes).not.toContain('ECONNREFUSED');
  });

  test('open connections end with a restore', async () => {
    await using box = await sleeper({
      command: [
        'perl',
        '-e',
        `$| = 1; ${SERVER.replace("open my $f, '<', '/state'; print $c (<$f>); close $c;", 'push @all, $c;')}`,
      ],
      ports: [7000],
      waitFor: Wait.forLogMessage('ready'),
    });
    await using snapshot = await box.snapshot();
    const socket = connect({ host: box.host, port: box.port });
    await new Promise((resolve) => socket.once('connect', resolve));
    const ended = new Promise<string>((resolve) => {
      socket.once('end', () => resolve('end'));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(`${error.code}`));
    });
    await box.restore(snapshot);
    expect(await ended).toMatch(/^(end|ECONNRESET)$/);
  });

  test('a container that has ended is restored, too', async () => {
    await using box = await sleeper();
    await sh(box, 'echo kept > /file');
    await using snapshot = await box.snapshot();
    await box.kill();
    await box.wait();
    await box.restore(snapshot);
    expect(await sh(box, 'cat /file')).toBe('kept\n');
  });

  test('sealing moves the files into the snapshot and goes on top of them', async () => {
    await using box = await server({ stopTimeout: '5s' });
    await sh(box, 'echo sealed > /state; head -c 20M /dev/zero > /large');
    const { ipAddress } = box;
    await using snapshot = await box.snapshot('sealed', { method: 'seal' });
    expect(snapshot.method).toBe('seal');
    expect(box.ipAddress).toBe(ipAddress);
    expect(await ask(box)).toBe('sealed\n');
    await sh(box, 'echo changed > /state');
    await using copy = await snapshot.start();
    expect(await ask(copy)).toBe('sealed\n');
    await box.restore(snapshot);
    expect(await ask(box)).toBe('sealed\n');
    expect(await sh(box, 'stat -c %s /large')).toBe(`${20 << 20}\n`);
    await expect(snapshot.remove()).rejects.toMatchObject({ code: 'snapshot.in-use' });
  });

  test('a container that has to be killed is not sealed, and runs again on what it had', async () => {
    await using box = await startContainer({
      image,
      command: ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done'],
      stopTimeout: '200ms',
    });
    await sh(box, 'echo here > /file');
    await expect(box.snapshot('never', { method: 'seal' })).rejects.toMatchObject({
      code: 'container.unclean-stop',
    });
    expect(await sh(box, 'cat /file')).toBe('here\n');
    expect(await listSnapshots()).toEqual([]);
  });

  test('snapshots of snapshots, and their removal from the top', async () => {
    await using box = await sleeper();
    await sh(box, 'echo 1 > /a');
    const first = await box.snapshot();
    await using copy = await first.start();
    await sh(copy, 'echo 2 > /b; rm /a');
    const second = await copy.snapshot();
    await using top = await second.start();
    expect(await sh(top, 'cat /b; test -e /a || echo gone')).toBe('2\ngone\n');
    await expect(first.remove()).rejects.toMatchObject({ code: 'snapshot.in-use' });
    await top.stop();
    await second.remove();
    await second.remove();
    await expect(second.start()).rejects.toMatchObject({ code: 'container.layer-gone' });
    await copy.stop();
    await first.remove();
    expect(await listSnapshots()).toEqual([]);
  });

  test('a name stands for the newest, is found by others, and outlives what has none', async () => {
    await using box = await sleeper();
    await sh(box, 'echo 1 > /a');
    await using older = await box.snapshot('state');
    await sh(box, 'echo 2 > /a');
    const newer = await box.snapshot('state');
    expect([older.name, newer.name]).toEqual([undefined, 'state']);
    const found = await getSnapshot('state');
    expect(found.id).toBe(newer.id);
    expect((await getSnapshot(older.id.slice(0, 10))).id).toBe(older.id);
    expect((await listSnapshots()).map(({ id }) => id)).toEqual([newer.id, older.id]);
    await using copy = await found.start();
    expect(await sh(copy, 'cat /a')).toBe('2\n');
    await expect(getSnapshot('nothing')).rejects.toMatchObject({ code: 'snapshot.not-found' });
    await expect(box.snapshot('../etc')).rejects.toMatchObject({ code: 'snapshot.bad-name' });
  });

  test('a container that ends just now is restored as one that has ended', async () => {
    await using box = await sleeper({ ports: [80], publishAll: true });
    await using snapshot = await box.snapshot();
    const { ipAddress } = box;
    for (let round = 0; round < 10; round += 1) {
      process.kill(box.parts.run.pid, 'SIGKILL');
      // Earlier and later in its end.
      for (const end = performance.now() + round / 2; performance.now() < end; );
      await box.restore(snapshot);
      expect((await box.exec(['echo', 'here'])).stdout).toBe('here\n');
      expect(box.ipAddress).toBe(ipAddress);
    }
  });

  test('the log goes on after a restore, as after a restart, and tells who wrote what when', async () => {
    await using box = await sleeper({ command: ['sh', '-c', 'echo run >&2; echo up; sleep infinity'] });
    const read = async (options = {}) => {
      const lines = [];
      for await (const { text, stream } of box.logs(options)) lines.push(`${stream}: ${text}`);
      return lines;
    };
    const run = ['stderr: run', 'stdout: up'];
    const wait = (lines: readonly string[]) =>
      poll(async () => ((await read()).length >= lines.length ? true : undefined), {
        deadline: deadlineIn(5000),
        what: 'the lines',
      });
    await wait(run);
    await using snapshot = await box.snapshot();
    const followed: string[] = [];
    const following = (async () => {
      for await (const { text } of box.logs({ follow: true })) followed.push(text);
    })();
    await box.restore(snapshot);
    // Who follows the log of a run hears its end. The two streams are two pipes: which is read first is not known.
    await following;
    expect(followed.toSorted()).toEqual(['run', 'up']);
    await wait([...run, ...run]);
    expect((await read()).toSorted()).toEqual([...run, ...run].toSorted());
    expect(await read({ tail: 1 })).toEqual((await read()).slice(-1));
    const since = (await box.inspect()).State.StartedAt;
    expect((await read({ since: new Date(since) })).toSorted()).toEqual(run);
    // A copy has a log of its own.
    await using copy = await snapshot.start();
    const own = [];
    for await (const { text } of copy.logs({ follow: true })) if (own.push(text) === 2) break;
    expect(own.toSorted()).toEqual(['run', 'up']);
  });

  test('what a snapshot stands on is no garbage', async () => {
    await using box = await sleeper();
    await using snapshot = await box.snapshot();
    await box.stop();
    await pruneImages();
    await using copy = await snapshot.start();
    expect(await sh(copy, 'echo ok')).toBe('ok\n');
  });

  test('becomes an image that another container starts from', async () => {
    await using box = await sleeper();
    await sh(box, 'echo 1 > /a');
    await using first = await box.snapshot();
    await using copy = await first.start();
    await sh(copy, 'echo 2 > /b');
    await using second = await copy.snapshot();
    const committed = await second.commit('test/snapshot:1', { author: 'Ann', changes: ['ENV X=y'] });
    expect(committed.layers).toHaveLength(image.layers.length + 2);
    await using again = await startContainer({
      image: 'test/snapshot:1',
      command: ['sleep', 'infinity'],
      stopTimeout: 0,
    });
    expect(await sh(again, 'cat /a /b; echo $X')).toBe('1\n2\ny\n');
    const direct = await copy.commit('test/snapshot:2');
    expect(direct.layers).toHaveLength(image.layers.length + 2);
  });

  test('tells what it has otherwise than its image, and than another one', async () => {
    await using box = await sleeper();
    await sh(box, 'mkdir /new; echo 1 > /new/file; echo x >> /etc/issue; rm /etc/motd; ln -s file /new/link');
    await using first = await box.snapshot();
    expect(await first.diff()).toEqual([
      { kind: 'changed', path: '/etc' },
      { kind: 'changed', path: '/etc/issue' },
      { kind: 'deleted', path: '/etc/motd' },
      { kind: 'added', path: '/new' },
      { kind: 'added', path: '/new/file' },
      { kind: 'added', path: '/new/link' },
    ]);
    await using copy = await first.start();
    await sh(copy, 'rm /new/link; echo 22 > /new/file; echo y > /etc/motd');
    await using second = await copy.snapshot();
    const own = [
      { kind: 'changed', path: '/etc' },
      { kind: 'added', path: '/etc/motd' },
      { kind: 'changed', path: '/new' },
      { kind: 'changed', path: '/new/file' },
      { kind: 'deleted', path: '/new/link' },
    ];
    expect(await second.diff()).toEqual(own);
    expect(await second.diff(first)).toEqual(own);
    const kinds = { added: 'deleted', deleted: 'added', changed: 'changed' } as const;
    expect(await first.diff(second)).toEqual(
      own.map(({ kind, path }) => ({ kind: kinds[kind as keyof typeof kinds], path })),
    );
    expect(await first.diff(first)).toEqual([]);
  });

  test('is refused of a container that has ended, and leaves nothing when aborted', async () => {
    await using box = await sleeper();
    const controller = new AbortController();
    await sh(box, 'for i in $(seq 3000); do echo $i > /file$i; done');
    const taking = box.snapshot(undefined, { signal: controller.signal });
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(taking).rejects.toThrow('enough');
    expect(await sh(box, 'echo still here')).toBe('still here\n');
    expect(readdirSync(`${TEST_HOME}/snapshots`)).toEqual([]);
    await box.kill();
    await box.wait();
    await expect(box.snapshot()).rejects.toMatchObject({ code: 'container.exited' });
  });

  test('nothing is left', async () => {
    expect(existsSync(`${TEST_HOME}/snapshots`)).toBe(true);
    expect(readdirSync(`${TEST_HOME}/snapshots`)).toEqual([]);
    await expectNoLeaks(TEST_HOME);
  });
});
