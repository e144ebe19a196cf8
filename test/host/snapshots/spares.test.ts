import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { openEngine } from '../../../src/containers/engine.ts';
import { isPaused } from '../../../src/containers/pause.ts';
import {
  type Container,
  getContainer,
  type Image,
  listContainers,
  listSnapshots,
  startContainer,
  Wait,
} from '../../../src/index.ts';
import { findPlaces } from '../../../src/kernel/cgroups/places.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

/** Says what is in a file, and the time at which it was started, to whoever connects. */
const SERVER = `use IO::Socket::INET; use Time::HiRes qw(time); $| = 1; my $t = time;
  my $l = IO::Socket::INET->new(LocalPort => 7000, Listen => 9, ReuseAddr => 1) or die; print "ready\\n";
  while (my $c = $l->accept) { open my $f, '<', '/state'; print $c "$t ", <$f>; close $c; }`;

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('spares', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });
  const server = (options = {}) =>
    startContainer({
      image,
      command: ['perl', '-e', SERVER],
      ports: [7000],
      waitFor: Wait.forLogMessage('ready'),
      stopTimeout: 0,
      ...options,
    });
  const sh = async (box: Container, script: string) => (await box.exec(['sh', '-c', script])).stdout;
  const ask = async (box: Container) => {
    const [startedAt, state] = (await text(connect({ host: box.host, port: box.port }))).split(' ');
    return { startedAt: Number(startedAt) * 1000, state };
  };
  const isThere = (name: string) =>
    findPlaces(openEngine().hierarchies, name).all.some((directory) => existsSync(directory));
  const spares = () => listContainers({ labels: { 'mayfly.spare': true } });

  test('a restore takes one over under the same id, name and address', async () => {
    await using box = await server({ name: 'original', hostname: 'host' });
    await sh(box, 'echo pristine > /state');
    const snapshot = await box.snapshot();
    await snapshot.keepSpares(2);
    expect(await spares()).toHaveLength(2);
    expect((await listContainers()).map(({ name }) => name)).toEqual(['original']);
    const { id, ipAddress, port } = box;
    const ends: number[] = [];
    box.on('exit', ({ exitCode }) => ends.push(exitCode));
    const mac = await sh(box, 'cat /sys/class/net/eth0/address');
    for (let round = 0; round < 4; round += 1) {
      await sh(box, 'echo changed > /state');
      await snapshot.keepSpares(2);
      const before = Date.now();
      await box.restore(snapshot);
      expect(ends).toEqual(Array(round + 1).fill(137));
      const { startedAt, state } = await ask(box);
      expect(state).toBe('pristine\n');
      // It had been started before it was asked for.
      expect(startedAt).toBeLessThan(before);
      expect({ id: box.id, ipAddress: box.ipAddress, port: box.port }).toEqual({ id, ipAddress, port });
      expect(await sh(box, 'cat /sys/class/net/eth0/address; hostname')).toBe(`${mac}host\n`);
      expect(await sh(box, 'ip -4 addr show eth0 2>/dev/null || cat /proc/net/fib_trie')).toContain(
        ipAddress,
      );
      expect(await sh(box, 'grep -w host$ /etc/hosts')).toBe(`${ipAddress}\thost\n`);
      const found = await getContainer('original');
      expect([found.id, found.ipAddress]).toEqual([id, ipAddress]);
      expect((await found.exec(['cat', '/state'])).stdout).toBe('pristine\n');
      expect((await box.inspect()).State).toMatchObject({ Running: true, Paused: false });
      expect((await box.stats()).pids!.current).toBeGreaterThan(0);
    }
    await box.pause();
    expect(isPaused(box.parts)).toBe(true);
    await box.unpause();
    await snapshot[Symbol.asyncDispose]();
    expect(await spares()).toEqual([]);
    expect((await ask(box)).state).toBe('pristine\n');
  });

  test('the log goes on, with what the spare has written, and keeps to its limit', async () => {
    const command = ['sh', '-c', `cat /state 2> /dev/null; exec perl -e '${SERVER.replaceAll("'", '"')}'`];
    await using box = await server({ command, logLimit: '64k' });
    await sh(box, 'echo pristine > /state');
    await using snapshot = await box.snapshot();
    const read = async (options = {}) => {
      const lines = [];
      for await (const { text } of box.logs(options)) lines.push(text);
      return lines;
    };
    const say = (text: string) => sh(box, `echo '${text}' > /proc/2/fd/1`);
    const wait = (text: string) => expect.poll(async () => (await read()).at(-1)).toBe(text);
    for (const word of ['one', 'two']) {
      await say(word);
      await wait(word);
      await snapshot.keepSpares(1);
      await box.restore(snapshot);
    }
    const all = ['ready', 'one', 'pristine', 'ready', 'two', 'pristine', 'ready'];
    expect(await read()).toEqual(all);
    expect(await read({ tail: 4 })).toEqual(all.slice(-4));
    for (let round = 0; round < 6; round += 1) {
      await sh(box, `yes ${'x'.repeat(100)} | head -200 > /proc/2/fd/1; echo ${round} > /proc/2/fd/1`);
      await wait(`${round}`);
      await snapshot.keepSpares(1);
      await box.restore(snapshot);
    }
    const lines = await read();
    expect(lines.slice(-3)).toEqual(['5', 'pristine', 'ready']);
    expect(lines).not.toContain('two');
    expect(lines.join('\n').length).toBeLessThan(128 << 10);
    expect(lines.filter((line) => !/^(x{100}|\d|pristine|ready)$/.test(line))).toEqual([]);
    // A restart writes on.
    await box.restart();
    expect((await read()).slice(0, lines.length)).toEqual(lines);
  });

  test('what spoke with the old processes is cut off, and other containers reach the new ones', async () => {
    await using box = await server();
    await using other = await server();
    await sh(box, 'echo old > /state');
    await using snapshot = await box.snapshot(undefined, { spares: 1 });
    await snapshot.keepSpares(1);
    await sh(box, 'echo new > /state');
    const read = `use IO::Socket::INET; my $s = IO::Socket::INET->new("${box.ipAddress}:7000") or die; print <$s>`;
    const reach = async () => (await other.exec(['perl', '-e', read])).stdout.split(' ')[1];
    expect(await reach()).toBe('new\n');
    await box.restore(snapshot);
    expect(await reach()).toBe('old\n');
  });

  test('a start takes one over with an address of its own, and it is replaced', async () => {
    await using box = await server();
    await sh(box, 'echo seeded > /state');
    await using snapshot = await box.snapshot();
    await snapshot.keepSpares(2);
    const before = Date.now();
    await using first = await snapshot.start();
    await using second = await snapshot.start();
    const answers = await Promise.all([first, second].map(ask));
    for (const { startedAt, state } of answers) {
      expect(state).toBe('seeded\n');
      expect(startedAt).toBeLessThan(before);
    }
    expect(new Set([box, first, second].map(({ ipAddress }) => ipAddress)).size).toBe(3);
    expect(await listContainers()).toHaveLength(3);
    await snapshot.keepSpares(2);
    expect(await spares()).toHaveLength(2);
    await using otherwise = await snapshot.start({ env: { A: 'b' } });
    expect(await sh(otherwise, 'echo $A')).toBe('b\n');
    expect(await spares()).toHaveLength(2);
    await snapshot.keepSpares(0);
    expect(await spares()).toEqual([]);
  });

  test('a copy is restored by one, and so is a detached container', async () => {
    await using box = await server();
    await sh(box, 'echo seeded > /state');
    await using snapshot = await box.snapshot();
    await using copy = await snapshot.start();
    await using detached = await snapshot.start({ detached: true });
    for (const each of [copy, detached]) {
      await snapshot.keepSpares(1);
      const { id, ipAddress } = each;
      const hostname = await sh(each, 'hostname');
      await sh(each, 'echo changed > /state');
      const before = Date.now();
      await each.restore(snapshot);
      const { startedAt, state } = await ask(each);
      expect(startedAt).toBeLessThan(before);
      expect(state).toBe('seeded\n');
      expect([each.id, each.ipAddress, await sh(each, 'hostname')]).toEqual([id, ipAddress, hostname]);
    }
    expect((await detached.inspect()).State.Running).toBe(true);
    await detached.stop();
    await detached.remove();
  });

  test('restores by spares and without follow each other at once', async () => {
    await using box = await server();
    await sh(box, 'echo seeded > /state');
    await using snapshot = await box.snapshot();
    const known = box.parts.record.spec.cgroup.name;
    for (let round = 0; round < 5; round += 1) {
      await snapshot.keepSpares(1);
      for (const _ of ['by a spare', 'without one', 'without one']) {
        await sh(box, 'echo changed > /state');
        await box.restore(snapshot);
        expect((await ask(box)).state).toBe('seeded\n');
      }
    }
    // Longer than what was taken over from stands still.
    await expect.poll(() => box.parts.record.formerCgroups?.filter(isThere) ?? []).toEqual([]);
    expect(isThere(known)).toBe(box.parts.record.spec.cgroup.name === known);
    expect((await ask(box)).state).toBe('seeded\n');
  });

  test('a container with other options or limits than the snapshot tells of keeps them, and is restored without one', async () => {
    await using box = await server({ memory: '200m' });
    await sh(box, 'echo seeded > /state');
    await using snapshot = await box.snapshot();
    await using other = await snapshot.start({ env: { A: 'b' } });
    await box.update({ memory: '300m' });
    await snapshot.keepSpares(1);
    for (const each of [box, other]) {
      const before = Date.now();
      await each.restore(snapshot);
      expect((await ask(each)).startedAt).toBeGreaterThan(before);
    }
    expect((await box.stats()).memory!.limit).toBe(300 << 20);
    expect(await sh(other, 'echo $A')).toBe('b\n');
    expect(await spares()).toHaveLength(1);
  });

  test('one that has been killed is not handed over', async () => {
    await using box = await server();
    await sh(box, 'echo state > /state');
    await using snapshot = await box.snapshot();
    await snapshot.keepSpares(1);
    const [spare] = await spares();
    const found = await getContainer(spare!.id);
    await found.kill();
    await found.wait();
    await box.restore(snapshot);
    expect((await ask(box)).state).toBe('state\n');
    expect(box.id).not.toBe(spare!.id);
  });

  test('the error of one that cannot start is told', async () => {
    await using box = await server();
    await sh(box, 'echo "exit 3" > /fail; mv /usr/bin/perl /usr/bin/gone');
    await using snapshot = await box.snapshot();
    await expect(snapshot.keepSpares(1)).rejects.toMatchObject({ code: /^container\./ });
    await expect(box.restore(snapshot)).rejects.toMatchObject({ code: /^container\./ });
  });

  test('one that cannot be made warm is ended, and the error is told', async () => {
    await using box = await server();
    const failure = new Error('cold');
    box.parts.service = { extend: () => {}, warm: () => Promise.reject(failure) };
    await using snapshot = await box.snapshot();
    await expect(snapshot.keepSpares(1)).rejects.toBe(failure);
    expect(await spares()).toEqual([]);
  });

  test('who sees one stand still is handed it', async () => {
    await using box = await server();
    await using snapshot = await box.snapshot();
    for (let round = 0; round < 5; round += 1) {
      const deadline = deadlineIn(20_000);
      const filled = snapshot.keepSpares(1);
      const found = await poll(async () => (await spares())[0], { deadline, what: 'a spare' });
      const spare = await getContainer(found.id);
      // Looks more often than who made it ready.
      while (!(await spare.inspect()).State.Paused && !deadline.expired()) await setImmediate();
      await box.restore(snapshot);
      expect((await spares()).map(({ id }) => id)).not.toContain(found.id);
      await filled;
      await snapshot.keepSpares(0);
    }
  });

  test('nothing is left', async () => {
    expect(await listSnapshots()).toEqual([]);
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });
});
