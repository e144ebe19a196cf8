import { beforeAll, expect, test } from 'vitest';
import { startContainer, Wait } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { runInNetns } from '../../fixtures/in-netns.ts';
import { requires } from '../../requires.ts';

interface SeenOnHost {
  readonly tables: string;
  readonly rules: string[];
  readonly asIptables: string[];
  readonly forwarding: string;
}

interface Seen {
  readonly exitCode: number;
  readonly seenAs: string;
  readonly during: SeenOnHost;
  readonly after: SeenOnHost;
  readonly afterForgetting: SeenOnHost;
}

requires(
  'root',
  'mmdebstrap',
  'nft',
  'iptables',
)('the network', () => {
  beforeAll(async () => {
    await debian();
  });

  test('containers reach each other and this process reaches them', async () => {
    const image = 'test/debian:bookworm';
    const serve =
      'perl -MIO::Socket::INET -e \'$s = IO::Socket::INET->new(LocalPort => 7000, Listen => 5); while ($c = $s->accept) { print $c "hello\\n"; close $c }\'';
    await using server = await startContainer({
      image,
      command: ['sh', '-c', serve],
      ports: [7000],
      stopTimeout: 0,
      waitFor: Wait.forListeningPorts(),
    });
    await using client = await startContainer({ image, stopTimeout: 0 });
    const ask = await client.exec(['bash', '-c', `exec 3<>/dev/tcp/${server.ipAddress}/7000 && cat <&3`]);
    expect(ask).toMatchObject({ exitCode: 0, stdout: 'hello\n' });
    expect(server.port).toBe(7000);
  });

  test('the way out is NAT, and the host is as before when the last container is gone', {
    timeout: 120_000,
  }, () => {
    const seen = runInNetns('egress.ts', { MAYFLY_TEST_HOME: TEST_HOME }) as Seen;
    expect(seen).toMatchObject({ exitCode: 0, seenAs: '198.51.100.1' });
    expect(seen.during).toMatchObject({
      tables: expect.stringContaining('mayfly-mf-'),
      rules: [],
      forwarding: '1',
    });
    expect(seen.after).toEqual({ tables: '', rules: [], asIptables: [], forwarding: '0' });
    expect(seen.afterForgetting).toEqual(seen.after);
  });

  test('a firewall of nftables that drops what is forwarded lets it pass meanwhile', {
    timeout: 120_000,
  }, () => {
    const env = { MAYFLY_TEST_HOME: TEST_HOME, MAYFLY_TEST_FIREWALL: '1' };
    const seen = runInNetns('egress.ts', env) as Seen;
    expect(seen).toMatchObject({ exitCode: 0, seenAs: '198.51.100.1' });
    const accepting = (direction: string) =>
      expect.stringMatching(
        new RegExp(`^\\s+${direction} "(mf-\\w+)" counter packets [1-9].* accept comment "mayfly \\1"$`),
      );
    expect(seen.during.rules.sort()).toEqual([accepting('iifname'), accepting('oifname')]);
    expect(seen.after).toMatchObject({ rules: [], forwarding: '0' });
    expect(seen.after.tables).toContain('table ip wall');
    expect(seen.afterForgetting).toEqual(seen.after);
  });
});

requires(
  'root',
  'mmdebstrap',
  'nft',
  'iptables',
  'dockerd',
)('the network beside a real dockerd', () => {
  test('has its way out although Docker drops what is to be forwarded', { timeout: 180_000 }, () => {
    const seen = runInNetns('egress.ts', { MAYFLY_TEST_HOME: TEST_HOME, MAYFLY_TEST_DOCKERD: '1' }) as Seen;
    expect(seen).toMatchObject({ exitCode: 0, seenAs: '198.51.100.1' });
    expect(seen.during.rules).toHaveLength(2);
    expect(seen.during.asIptables).toEqual([
      expect.stringMatching(/^-A DOCKER-USER -o mf-\w+ -m comment --comment "mayfly mf-\w+" -j ACCEPT$/),
      expect.stringMatching(/^-A DOCKER-USER -i mf-\w+ -m comment --comment "mayfly mf-\w+" -j ACCEPT$/),
    ]);
    expect(seen.after).toMatchObject({ rules: [], asIptables: [] });
  });
});
