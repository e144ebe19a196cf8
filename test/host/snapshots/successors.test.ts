import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { readRecord } from '../../../src/containers/container-record.ts';
import { openEngine } from '../../../src/containers/engine.ts';
import { SUCCESSOR_LABEL } from '../../../src/containers/spares/spare-label.ts';
import { forget } from '../../../src/containers/successors/successors.ts';
import { type Container, type Image, listContainers, startContainer, Wait } from '../../../src/index.ts';
import { listContainerIds } from '../../../src/runtime/state/container-store.ts';
import { mayfly } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

/** Changes a file of its image when it starts, and then says what is in another one to whoever connects. */
const SERVER = `use IO::Socket::INET; $| = 1; open my $i, '>>', '/etc/issue'; print $i "here"; close $i;
  my $l = IO::Socket::INET->new(LocalPort => 7000, Listen => 9, ReuseAddr => 1) or die; print "ready\\n";
  while (my $c = $l->accept) { open my $f, '<', '/state'; print $c (<$f>); close $c; }`;

requires('root', 'mmdebstrap')('what a container is expected to become', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });
  afterEach(async () => {
    await expectNoLeaks(TEST_HOME);
    await expect.poll(() => leftOnDisk(TEST_HOME)).toEqual([]);
  });

  const server = async (options = {}) => {
    const waitFor = Wait.forLogMessage('ready');
    const common = { image, command: ['perl', '-e', SERVER], ports: [7000], waitFor, stopTimeout: 0 };
    const box = await startContainer({ ...common, ...options });
    await box.exec(['sh', '-c', 'printf before > /state']);
    return box;
  };
  /** Only who has been restored is expected to be again. */
  const restored = async (options = {}) => {
    const box = await server(options);
    await using snapshot = await box.snapshot();
    expect(openEngine().successors.size).toBe(0);
    await box.restore(snapshot);
    return box;
  };
  const ask = (box: Container) => text(connect({ host: box.host, port: box.port }));
  const change = (box: Container) => box.exec(['sh', '-c', 'printf after > /state']);
  /** Of what has been made ready, and for whom. */
  const ids = (of?: string) =>
    listContainerIds(openEngine().home).filter((id) => {
      const succeeds = readRecord(openEngine().home, id)?.options.labels?.[SUCCESSOR_LABEL];
      return succeeds !== undefined && succeeds === (of ?? succeeds);
    });
  const shimOf = (id: string) => readRecord(openEngine().home, id)!.shimPid;
  /** The id of what has been made ready for a container. */
  async function ready(box: Container): Promise<string> {
    const { successors } = openEngine();
    await expect.poll(() => successors.get(box.id)?.successor !== undefined).toBe(true);
    await successors.get(box.id)!.successor;
    const found = ids(box.id);
    expect(found).toHaveLength(1);
    return found[0]!;
  }

  test('takes its place when it is restored, again and again, with the files copied that it writes to', async () => {
    await using box = await restored();
    await using snapshot = await box.snapshot();
    const { ipAddress } = box;
    for (let round = 0; round < 3; round += 1) {
      const next = await ready(box);
      expect(await listContainers({ all: true })).toMatchObject([{ id: box.id }]);
      const issue = join(TEST_HOME, 'containers', next, 'upper/etc/issue');
      await expect.poll(() => existsSync(issue)).toBe(true);
      const shim = shimOf(next);
      await change(box);
      expect(await ask(box)).toBe('after');
      await box.restore(snapshot);
      expect(shimOf(box.id)).toBe(shim);
      expect(await ask(box)).toBe('before');
      expect(box.ipAddress).toBe(ipAddress);
      expect((await box.exec(['cat', '/etc/hostname'])).stdout.trim()).toBe(box.id.slice(0, 12));
    }
  });

  test('tells of its past as before, and when it has begun', async () => {
    await using box = await restored();
    await using snapshot = await box.snapshot();
    await ready(box);
    const log = async () => {
      const lines: string[] = [];
      for await (const { text } of box.logs()) lines.push(text);
      return lines;
    };
    const before = await log();
    const restoredAt = Date.now();
    await box.restore(snapshot);
    expect(await log()).toEqual([...before, 'ready']);
    expect(Date.parse((await box.inspect()).State.StartedAt)).toBeGreaterThanOrEqual(restoredAt);
  });

  test('goes with it, however it ends', async () => {
    for (const end of [
      (box: Container) => box.stop(),
      async (box: Container) => {
        await box.kill();
        await box.wait();
        await expect.poll(() => ids()).toEqual([]);
      },
      async (box: Container) => {
        await (await box.snapshot(undefined, { method: 'seal' }))[Symbol.asyncDispose]();
        await expect.poll(() => ids()).toEqual([]);
      },
    ]) {
      // What is sealed has to have time to end.
      await using box = await restored({ stopTimeout: '10s' });
      await using _snapshot = await box.snapshot();
      await ready(box);
      await end(box);
    }
  });

  test('goes with the snapshot, which is in nobody’s use because of it', async () => {
    await using box = await restored();
    const removed = await box.snapshot();
    await ready(box);
    await removed.remove();
    expect(ids()).toEqual([]);
    const others = await box.snapshot();
    await ready(box);
    const { exitCode } = await mayfly(['snapshot', 'rm', others.id], { env: { MAYFLY_HOME: TEST_HOME } });
    expect(exitCode).toBe(0);
    await expect(box.restore(others)).rejects.toMatchObject({ code: 'container.layer-gone' });
    expect(await ask(box)).toBe('before');
  });

  test('is not what it becomes when it has been changed meanwhile, or killed', async () => {
    await using box = await restored({ memory: '100m' });
    await using snapshot = await box.snapshot();
    const shim = shimOf(await ready(box));
    await box.update({ memory: '120m' });
    await change(box);
    await box.restore(snapshot);
    expect(shimOf(box.id)).not.toBe(shim);
    expect((await box.inspect()).HostConfig.Memory).toBe(120 << 20);
    expect(await ask(box)).toBe('before');
    const next = shimOf(await ready(box));
    process.kill(next, 'SIGKILL');
    await expect.poll(() => existsSync(`/proc/${next}`)).toBe(false);
    await change(box);
    await box.restore(snapshot);
    expect(await ask(box)).toBe('before');
  });

  test('has its published ports only from when it begins', async () => {
    await using box = await restored({ publishAll: true });
    await using snapshot = await box.snapshot();
    const { port } = box;
    for (let round = 0; round < 3; round += 1) {
      const shim = shimOf(await ready(box));
      await change(box);
      for (let asked = 0; asked < 20; asked += 1) expect(await ask(box)).toBe('after');
      await box.restore(snapshot);
      expect(shimOf(box.id)).toBe(shim);
      expect(box.port).toBe(port);
      expect(await ask(box)).toBe('before');
    }
    await ready(box);
    // Which needs the ports for itself.
    await box.restart();
    expect(box.port).toBe(port);
    expect(await ask(box)).toBe('before');
  });

  test.each([
    ['begins when the former one has ended, where both could write to a volume', { shared: true }],
    ['does so, too, where they have the ports of the machine', { network: 'host' }],
  ] as const)('%s', async (_, { shared, ...options }: { shared?: boolean; network?: 'host' }) => {
    const volume = mkdtempSync(join(TEST_HOME, 'volume-'));
    try {
      const held = `use Fcntl ':flock'; open my $lock, '>', '/shared/lock'; flock $lock, LOCK_EX | LOCK_NB or die; ${SERVER}`;
      const mounts = shared
        ? {
            mounts: [{ type: 'bind' as const, source: volume, target: '/shared' }],
            command: ['perl', '-e', held],
          }
        : {};
      await using box = await restored({ ...mounts, ...options });
      await using snapshot = await box.snapshot();
      for (const of of ['made ready', 'made now']) {
        const { Pid: pid } = (await box.inspect()).State;
        if (of === 'made ready') await ready(box);
        else await forget(openEngine(), box.id);
        await change(box);
        await box.restore(snapshot);
        expect(existsSync(`/proc/${pid}`), of).toBe(false);
        expect(await ask(box), of).toBe('before');
      }
    } finally {
      rmSync(volume, { recursive: true });
    }
  });

  test('is nothing where a restore could not use it', async () => {
    await using box = await restored({ userns: 'private' });
    await using snapshot = await box.snapshot();
    expect(openEngine().successors.size).toBe(0);
    await box.restore(snapshot);
    expect(await ask(box)).toBe('before');
  });

  test('that cannot begin leaves the container ended, with the files that it had', async () => {
    await using box = await restored();
    await box.exec(['sh', '-c', 'mv /usr/bin/perl /usr/bin/gone']);
    await using snapshot = await box.snapshot();
    await box.exec(['sh', '-c', 'mv /usr/bin/gone /usr/bin/perl']);
    await ready(box);
    await change(box);
    await expect(box.restore(snapshot)).rejects.toMatchObject({ code: 'container.command-not-found' });
    expect((await box.inspect()).State.Running).toBe(false);
    await box.start();
    expect(await ask(box)).toBe('after');
  });
});
