import { AT_FDCWD, CLONE, O } from '../kernel/mounts/flags.ts';
import { bringUp, createBridge, createVeth, LOOPBACK_INDEX, setMaster } from '../kernel/netlink/link.ts';
import { acknowledged, type Message } from '../kernel/netlink/message.ts';
import { createMasquerade } from '../kernel/netlink/nftables.ts';
import { addAddress, addDefaultRoute } from '../kernel/netlink/route.ts';
import { AF_NETLINK, NETLINK, SOCK_RAW_CLOEXEC } from '../kernel/netlink/socket.ts';
import { FDS } from '../kernel/program/abi.ts';
import { flags, type SectionBuilder } from '../kernel/program/builder.ts';
import type { OperandLike, Result } from '../kernel/program/instruction.ts';

/** Indices of our choosing, so that messages written beforehand can name what does not exist yet. */
const BRIDGE_INDEX = 2;
const UPLINK_PORT_INDEX = 3;
const ETH0_INDEX = 2;

/** One container's place on a bridge network. */
export interface BridgePlan {
  readonly containerId: string;
  readonly ip: string;
  readonly prefix: number;
  readonly gateway: string;
  readonly mac: string;
  /** Interface of the host that leads to the bridge. */
  readonly uplink: string;
  /** First address of the network. */
  readonly base: string;
  /** The network has to be made; otherwise it is on fd 5, and its firewall socket on fd 16. */
  readonly create: boolean;
  /** NAT by nftables; otherwise iptables does it. */
  readonly nftables: boolean;
}

/**
 * Instructions for the shim. The bridge lies in a network namespace that nothing but open descriptors keeps alive, fd 5
 * of every shim on it: when the last shim is dead, by whatever death, the kernel takes away the namespace, the bridge,
 * and with their other ends all the veths.
 *
 * Result: a socket in that namespace, for {@link connectToBridge}.
 */
export function prepareBridge(shim: SectionBuilder, plan: BridgePlan): Result {
  const host = openNamespace(shim);
  if (plan.create) {
    shim.call('unshare', [flags(CLONE, 'CLONE_NEWNET')], { what: 'make a network namespace for the bridge' });
    shim.call('dup3', [openNamespace(shim), FDS.network, flags(O, 'O_CLOEXEC')], { what: 'pin it' });
  } else {
    shim.call('setns', [FDS.network, flags(CLONE, 'CLONE_NEWNET')], { what: "enter the bridge's namespace" });
  }
  const inside = openSocket(shim, 'NETLINK_ROUTE');
  shim.call('setns', [host, flags(CLONE, 'CLONE_NEWNET')], { what: 'return to the host' });
  if (plan.create) createNetwork(shim, inside, plan);
  return inside;
}

function createNetwork(shim: SectionBuilder, inside: Result, plan: BridgePlan): void {
  const { uplink, gateway, prefix } = plan;
  const outside = openSocket(shim, 'NETLINK_ROUTE');
  send(shim, inside, [createBridge({ name: 'br0', index: BRIDGE_INDEX })], 'create the bridge');
  const index = uplinkIndex(uplink);
  const port = { name: 'uplink', index: UPLINK_PORT_INDEX, netnsFd: FDS.network };
  send(shim, outside, [createVeth({ name: uplink, index }, port)], `create ${uplink}`);
  send(shim, inside, [setMaster(UPLINK_PORT_INDEX, BRIDGE_INDEX)], `join ${uplink} to the bridge`);
  send(shim, outside, [addAddress(index, { ip: gateway, prefix })], `give ${uplink} the address ${gateway}`);
  if (plan.nftables) createNat(shim, plan);
  const path = `/proc/sys/net/ipv4/conf/${uplink}/forwarding`;
  const file = shim.call('openat', [AT_FDCWD, path, flags(O, 'O_WRONLY', 'O_CLOEXEC'), 0], {
    what: `open ${path}`,
  });
  shim.call('write', [file, '1', 1], { what: `forward what comes from ${uplink}` });
}

/** A table that belongs to a socket, which every shim of the network holds: it goes when the last of them does. */
function createNat(shim: SectionBuilder, { uplink, base, prefix }: BridgePlan): void {
  const table = createMasquerade({ table: `mayfly-${uplink}`, source: { base, prefix }, except: uplink });
  const socket = openSocket(shim, 'NETLINK_NETFILTER');
  shim.netlink(socket, table, { what: `masquerade ${base}/${prefix}` });
  shim.call('dup3', [socket, FDS.firewall, flags(O, 'O_CLOEXEC')], { what: 'pin the firewall socket' });
}

/** Instructions for init, in the container's own namespace, which is pinned as fd 7. */
export function connectToBridge(init: SectionBuilder, inside: Result, plan: BridgePlan): void {
  const veth = { name: `v${plan.containerId.slice(0, 12)}`, index: 0, master: BRIDGE_INDEX };
  const eth0 = { name: 'eth0', index: ETH0_INDEX, mac: plan.mac, netnsFd: FDS.netns };
  send(init, inside, [createVeth(veth, eth0)], 'create eth0');
  connectLoopback(init, [
    bringUp(ETH0_INDEX),
    addAddress(ETH0_INDEX, plan),
    addDefaultRoute(ETH0_INDEX, plan.gateway),
  ]);
}

/** Brings the loopback interface up, and then whatever else the namespace has. */
export function connectLoopback(init: SectionBuilder, others: readonly Message[] = []): void {
  const own = openSocket(init, 'NETLINK_ROUTE');
  send(init, own, [bringUp(LOOPBACK_INDEX), ...others], 'set up the interfaces');
}

/** Far above the indices that the kernel counts up, and the same for every process of this home. */
function uplinkIndex(uplink: string): number {
  return 0x4000_0000 + Number.parseInt(uplink.slice(-6), 16);
}

function send(
  section: SectionBuilder,
  socket: OperandLike,
  messages: readonly Message[],
  what: string,
): void {
  section.netlink(socket, acknowledged(messages), { what });
}

function openSocket(section: SectionBuilder, family: keyof typeof NETLINK): Result {
  return section.call('socket', [AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK[family]], {
    what: `open a ${family} socket`,
  });
}

function openNamespace(section: SectionBuilder): Result {
  return section.call(
    'openat',
    [AT_FDCWD, '/proc/thread-self/ns/net', flags(O, 'O_RDONLY', 'O_CLOEXEC'), 0],
    {
      what: 'open the network namespace',
    },
  );
}
