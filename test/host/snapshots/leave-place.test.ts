import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { isPaused } from '../../../src/containers/pause.ts';
import { leavePlace } from '../../../src/containers/successors/leave-place.ts';
import { type ContainerOptions, type Image, startContainer, Wait } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

/** Listens, takes connections, and leaves them open; before it takes any, does what is particular to it. */
const server = (particular = '', options = 'ReuseAddr => 1') =>
  `use IO::Socket::INET; use IO::Socket::UNIX; $| = 1;
   my $l = IO::Socket::INET->new(LocalPort => 7000, Listen => 9, ${options}) or die; ${particular}; print "ready\\n";
   my @open; while (my $c = $l->accept) { push @open, $c; print $c "hello"; $c->flush }`;

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('a container that makes room for its next process tree', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });
  afterEach(async () => {
    await expectNoLeaks(TEST_HOME);
    await expect.poll(() => leftOnDisk(TEST_HOME)).toEqual([]);
  });

  /** With a client that has been served. Result: whether it stands still, once the client has noticed. */
  async function leaves(code: string, options: Partial<ContainerOptions> = {}): Promise<boolean> {
    const waitFor = Wait.forLogMessage('ready');
    await using box = await startContainer({ image, command: ['perl', '-e', code], waitFor, ...options });
    try {
      const client = connect({ host: box.ipAddress, port: 7000 });
      const noticed = new Promise((resolve) => client.once('close', resolve).once('error', () => {}));
      await new Promise((resolve) => client.once('data', resolve));
      const stands = await leavePlace(box.parts);
      expect(isPaused(box.parts)).toBe(stands);
      await noticed;
      if (!stands) expect((await box.wait()).exitCode).toBe(137);
      return stands;
    } finally {
      await box.remove({ force: true });
    }
  }

  test.each([
    ['listens on a port', ''],
    ['has children that listen on it, too', 'fork; fork;'],
    [
      'has a UNIX socket with a path, and a pair of them',
      `my $u = IO::Socket::UNIX->new(Local => '/tmp/named', Listen => 1) or die;
       socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die;`,
    ],
  ])('stands still when it %s', async (_, particular) => {
    expect(await leaves(server(particular))).toBe(true);
  });

  test.each([
    ['a UDP port', `my $u = IO::Socket::INET->new(LocalPort => 7001, Proto => 'udp') or die;`],
    [
      'a name of an abstract UNIX socket',
      `my $u = IO::Socket::UNIX->new(Local => "\\0name", Listen => 1) or die;`,
    ],
    [
      'a port that it does not listen on',
      'my $u = IO::Socket::INET->new(LocalPort => 7002, Proto => "tcp") or die;',
    ],
  ])('has ended before the next one begins when it has %s', async (_, particular) => {
    expect(await leaves(server(particular))).toBe(false);
  });

  test('has ended when it has a port to itself', async () => {
    expect(await leaves(server('', ''))).toBe(false);
  });

  test('has ended when it could write where the next one can, too', async () => {
    const source = mkdtempSync(join(TEST_HOME, 'volume-'));
    try {
      const mounts = (readOnly: boolean) => ({
        mounts: [{ type: 'bind' as const, source, target: '/shared', readOnly }],
      });
      expect(await leaves(server(), mounts(true))).toBe(true);
      expect(await leaves(server(), mounts(false))).toBe(false);
    } finally {
      rmSync(source, { recursive: true });
    }
  });

  test('has ended when it would outlive this process', async () => {
    expect(await leaves(server(), { detached: true })).toBe(false);
  });
});
