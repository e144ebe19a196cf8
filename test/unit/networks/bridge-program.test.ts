import { expect, test } from 'vitest';
import { ProgramBuilder } from '../../../src/kernel/program/builder.ts';
import { explain } from '../../../src/kernel/program/explain.ts';
import { type BridgePlan, prepareBridge } from '../../../src/networks/bridge-program.ts';

const plan: BridgePlan = {
  containerId: 'cccc',
  port: 'vcccc',
  ip: '10.64.0.2',
  prefix: 20,
  gateway: '10.64.0.1',
  mac: '02:42:0a:40:00:02',
  uplink: undefined,
  base: '10.64.0.0',
  create: false,
  nftables: false,
};

function prepared(changes: Partial<BridgePlan>): string[] {
  const program = new ProgramBuilder();
  prepareBridge(program.section('shim', 'supervisor'), { ...plan, ...changes });
  return explain(program.build())
    .split('\n')
    .map((line) => line.replace(/^ *\d+ /, '').replaceAll(/\$\d+/g, '$'));
}

test('an ordinary user’s shim keeps sockets of the container’s network, as nobody can enter that later', () => {
  const root = prepared({ uplink: 'mf-000001' });
  expect(prepared({}).filter((line) => !root.includes(line))).toMatchInlineSnapshot(`
    [
      "dup3($, 32, O_CLOEXEC)  # pin it",
      "socket(16, 524291, 4) ?EPROTONOSUPPORT  # open a NETLINK_SOCK_DIAG socket",
      "dup3($, 33, O_CLOEXEC)  # pin it",
      "close($)",
      "openat(AT_FDCWD, "/proc/sys/net/ipv4/conf/default/arp_notify", O_WRONLY|O_CLOEXEC, 0)  # open /proc/sys/net/ipv4/conf/default/arp_notify",
      "write($, "1", 1)  # have changes announced",
    ]
  `);
});
