import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, test } from 'vitest';
import {
  type Container,
  getContainer,
  type Image,
  listContainers,
  listSnapshots,
  startContainer,
  Wait,
} from '../../../src/index.ts';
import { closeDescriptor } from '../../../src/kernel/ffi/descriptor.ts';
import { acknowledged } from '../../../src/kernel/netlink/message.ts';
import { removeAddress } from '../../../src/kernel/netlink/route.ts';
import { listenOn } from '../../../src/kernel/sockets/listen.ts';
import { ETH0_INDEX } from '../../../src/networks/bridge-program.ts';
import { findForwarder } from '../../../src/networks/forwarder-process.ts';
import { enterNamespace } from '../../../src/networks/namespace-access.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { program } from '../../fixtures/program.ts';
import { requires } from '../../requires.ts';

/** Says when it was started, its port and what is in a file, and hangs up; or not. Quotes are for a shell to put around it. */
const SERVER = `use IO::Socket::INET; use Time::HiRes qw(time); $| = 1; my $t = time; my @kept; my $p = shift;
  my $l = IO::Socket::INET->new(LocalPort => $p, Listen => 99, ReuseAddr => 1) or die; print "ready\\n";
  while (my $c = $l->accept) { open my $f, "<", "/state"; print $c "$t $p ", <$f>; -e "/hold" ? push @kept, $c : close $c }`;

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('spares of containers with published ports', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });
  const server = (options = {}) =>
    startContainer({
      image,
      command: ['perl', '-e', SERVER, '7000'],
      ports: [{ container: 7000 }],
      waitFor: Wait.forLogMessage('ready'),
      stopTimeout: 0,
      ...options,
    });
  const sh = async (box: Container, script: string) => (await box.exec(['sh', '-c', script])).stdout;
  const ask = async (box: Container, container = 7000) => {
    const answer = await text(connect({ host: box.host, port: box.getMappedPort(container) }));
    const [startedAt, port, state] = answer.trim().split(' ');
    expect(port).toBe(String(container));
    return { startedAt: Number(startedAt) * 1000, state };
  };
  const forwarderOf = ({ parts: { record, run } }: Container) =>
    findForwarder({ shimPid: record.shimPid, initPid: run.pid });
  // The command line of what has ended and has not been reaped is empty.
  const runs = (pid: number) =>
    existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'latin1') !== '';
  const portsOf = async (box: Container) => (await box.inspect()).NetworkSettings.Ports;

  /** Restores by a spare, which had been started before it was asked for. */
  async function restoreBySpare(box: Container, snapshot: Awaited<ReturnType<Container['snapshot']>>) {
    await snapshot.keepSpares(1);
    await sh(box, 'echo changed > /state');
    const before = Date.now();
    await box.restore(snapshot);
    const { startedAt, state } = await ask(box);
    expect(state).toBe('pristine');
    expect(startedAt).toBeLessThan(before);
  }

  async function pristine(options = {}): Promise<Container> {
    const box = await server(options);
    await sh(box, 'echo pristine > /state');
    return box;
  }

  test('a restore keeps the ports, whether the host’s numbers were asked for or not', async () => {
    const free = listenOn({ host: '127.0.0.1', port: 0 });
    closeDescriptor(free.fd);
    for (const port of [{}, { host: 0 }, { host: free.port }, { hostIp: '127.0.0.2' }]) {
      await using box = await pristine({ ports: [{ container: 7000, ...port }] });
      await using snapshot = await box.snapshot();
      const [before, shown] = [box.port, await portsOf(box)];
      if (port.host) expect(before).toBe(port.host);
      for (let round = 0; round < 3; round += 1) {
        const forwarder = forwarderOf(box);
        await restoreBySpare(box, snapshot);
        expect(box.port).toBe(before);
        expect(await portsOf(box)).toEqual(shown);
        const found = await getContainer(box.id);
        expect((await ask(found)).state).toBe('pristine');
        await expect.poll(() => runs(forwarder)).toBe(false);
      }
      // And it is as good as any other: what it has can be handed on.
      const last = Date.now();
      await snapshot.keepSpares(0);
      await box.restore(snapshot);
      expect((await ask(box)).startedAt).toBeGreaterThan(last);
      await box.restart();
      expect(box.port).toBe(before);
      expect((await ask(box)).state).toBe('pristine');
    }
  });

  test('who connects all the time is never refused, and never answered by what is gone', {
    timeout: 60_000,
  }, async () => {
    await using box = await pristine();
    await using snapshot = await box.snapshot();
    const [node, ...argv] = program('test/fixtures/knocker.ts');
    const knocker = spawn(node, [...argv, String(box.port)], { stdio: 'pipe' });
    const said = text(knocker.stdout);
    await new Promise((resolve) => knocker.stderr.once('data', resolve));
    const trees = [String((await ask(box)).startedAt)];
    for (let round = 0; round < 15; round += 1) {
      await restoreBySpare(box, snapshot);
      trees.push(String((await ask(box)).startedAt));
    }
    knocker.stdin.end();
    const outcomes: string[] = JSON.parse(await said);
    expect(outcomes).not.toContain('ECONNREFUSED');
    const answers = outcomes.filter((outcome) => /^\d+\.\d+ /.test(outcome));
    // Those of the connections that were open while they were.
    expect(outcomes.length - answers.length).toBeLessThanOrEqual(trees.length);
    const seen = answers.map((answer) => trees.indexOf(String(Number(answer.split(' ')[0]) * 1000)));
    expect(seen).not.toContain(-1);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(new Set(seen).size).toBe(trees.length);
  });

  test('open connections end', async () => {
    await using box = await pristine();
    await using snapshot = await box.snapshot();
    await sh(box, 'touch /hold');
    const sockets = Array.from({ length: 5 }, () => connect({ host: box.host, port: box.port }));
    const ended = sockets.map(async (socket) => {
      socket.on('error', () => {});
      await new Promise((resolve) => socket.once('close', resolve));
    });
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('data', resolve))));
    await restoreBySpare(box, snapshot);
    await Promise.all(ended);
  });

  test('each of several ports leads where it led', async () => {
    const both = `perl -e '${SERVER}' 7001 & exec perl -e '${SERVER}' 7000`;
    await using box = await pristine({
      command: ['sh', '-c', both],
      ports: [7001, { container: 7000 }],
      waitFor: Wait.forLogMessage('ready', { times: 2 }),
    });
    await using snapshot = await box.snapshot();
    const ports = [7000, 7001].map((port) => box.getMappedPort(port));
    const before = await Promise.all([ask(box), ask(box, 7001)]);
    for (let round = 0; round < 3; round += 1) {
      await restoreBySpare(box, snapshot);
      expect([7000, 7001].map((port) => box.getMappedPort(port))).toEqual(ports);
      const after = await Promise.all([ask(box), ask(box, 7001)]);
      expect(after.map(({ state }) => state)).toEqual(['pristine', 'pristine']);
      after.forEach(({ startedAt }, i) => void expect(startedAt).toBeGreaterThan(before[i]!.startedAt));
    }
  });

  test('a start takes one over with ports of its own, and the copy is restored by another', async () => {
    await using box = await pristine();
    await using snapshot = await box.snapshot();
    await snapshot.keepSpares(1);
    const before = Date.now();
    await using copy = await snapshot.start();
    expect((await ask(copy)).startedAt).toBeLessThan(before);
    const { port } = copy;
    expect(port).not.toBe(box.port);
    await sh(box, 'echo original > /state');
    await restoreBySpare(copy, snapshot);
    expect(copy.port).toBe(port);
    expect((await ask(box)).state).toBe('original');
  });

  test('a detached container keeps its port, too', async () => {
    const box = await pristine({ detached: true });
    await using snapshot = await box.snapshot();
    await restoreBySpare(box, snapshot);
    const found = await getContainer(box.id);
    expect(found.port).toBe(box.port);
    await snapshot.keepSpares(1);
    const copy = await snapshot.start();
    expect((await ask(copy)).state).toBe('pristine');
    // The spare that is left is not.
    const listed = await listContainers({ labels: { 'mayfly.spare': true } });
    expect(listed.map(({ detached }) => detached)).toEqual([false]);
    expect((await listContainers()).map(({ detached }) => detached)).toEqual([true, true]);
    for (const each of [box, copy]) await each.remove({ force: true });
  });

  test('a spare whose forwarder has been killed leads to a restore without one, and the ports stay', async () => {
    await using box = await pristine();
    await using snapshot = await box.snapshot();
    await snapshot.keepSpares(1);
    const [spare] = await listContainers({ labels: { 'mayfly.spare': true } });
    process.kill(forwarderOf(await getContainer(spare!.id)), 'SIGKILL');
    const before = Date.now();
    const { port } = box;
    await box.restore(snapshot);
    const { startedAt, state } = await ask(box);
    expect(state).toBe('pristine');
    expect(startedAt).toBeGreaterThan(before);
    expect(box.port).toBe(port);
    await restoreBySpare(box, snapshot);
  });

  test('an address that cannot be moved leads to a restore without one, and address and ports stay', async () => {
    await using box = await pristine();
    await using snapshot = await box.snapshot();
    await snapshot.keepSpares(1);
    const [spare] = await listContainers({ labels: { 'mayfly.spare': true } });
    const { parts } = await getContainer(spare!.id);
    const { ip, prefix } = parts.record.attachment;
    using namespace = enterNamespace({ pid: parts.run.pid });
    namespace.within((exchange) => {
      const message = removeAddress(ETH0_INDEX, { ip: ip!, prefix: prefix! });
      exchange(acknowledged([message]), { family: 'NETLINK_ROUTE', what: 'take the address away' });
    });
    const before = Date.now();
    const { port, ipAddress } = box;
    await box.restore(snapshot);
    expect([box.port, box.ipAddress]).toEqual([port, ipAddress]);
    expect((await ask(box)).startedAt).toBeGreaterThan(before);
    expect(await text(connect({ host: ipAddress, port: 7000 }))).toContain('pristine');
    await restoreBySpare(box, snapshot);
  });

  test('no descriptors of ours are left', async () => {
    await using box = await pristine();
    await using snapshot = await box.snapshot();
    await restoreBySpare(box, snapshot);
    await snapshot.keepSpares(0);
    const sockets = () => readdirSync('/proc/self/fd').length;
    await box.parts.formerTrees?.clear();
    const before = sockets();
    for (let round = 0; round < 5; round += 1) await restoreBySpare(box, snapshot);
    await snapshot.keepSpares(0);
    await box.parts.formerTrees?.clear();
    await expect.poll(sockets).toBeLessThanOrEqual(before);
  });

  test('nothing is left', async () => {
    expect(await listSnapshots()).toEqual([]);
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });
});
