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
export const ETH0_INDEX = 2;

/** One container's place on a bridge network. */
export interface BridgePlan {
  readonly containerId: string;
  /** Name of the bridge's end of the container's link. */
  readonly port: string;
  readonly ip: string;
  readonly prefix: number;
  readonly gateway: string;
  readonly mac: string;
  /** Interface of the host that leads to the bridge; undefined for an ordinary user's, which has no way out. */
  readonly uplink: string | undefined;
  /** First address of the network. */
  readonly base: string;
  /** The network has to be made; otherwise it is on fd 5, and its firewall socket on fd 16. */
  readonly create: boolean;
  /** NAT by nftables; otherwise iptables does it. */
  readonly nftables: boolean;
}

/** Sockets for the messages that connect a container. */
export interface BridgeSockets {
  /** In the network's namespace. */
  readonly inside: Result;
  /** In the container's. */
  readonly own: Result;
}

/**
 * Instructions for the shim, before clone. The bridge lies in a network namespace that nothing but open descriptors keeps alive, fd 5
 * of every shim on it: when the last shim is dead, by whatever death, the kernel takes away the namespace, the bridge,
 * and with their other ends all the veths.
 */
export function prepareBridge(shim: SectionBuilder, plan: BridgePlan): BridgeSockets {
  // Nothing else is to be done on the host for a network without an uplink, and an ordinary user could not go back there.
  const host = plan.uplink === undefined ? undefined : openNamespace(shim);
  if (plan.create) {
    shim.call('unshare', [flags(CLONE, 'CLONE_NEWNET')], { what: 'make a network namespace for the bridge' });
    shim.call('dup3', [openNamespace(shim), FDS.network, flags(O, 'O_CLOEXEC')], { what: 'pin it' });
    disableIpv6(shim);
  } else {
    shim.call('setns', [FDS.network, flags(CLONE, 'CLONE_NEWNET')], { what: "enter the bridge's namespace" });
  }
  const inside = openSocket(shim, 'NETLINK_ROUTE');
  const own = openContainerNamespace(shim);
  if (plan.uplink === undefined) keepSockets(shim, own);
  if (host !== undefined)
    shim.call('setns', [host, flags(CLONE, 'CLONE_NEWNET')], { what: 'return to the host' });
  if (plan.create) createNetwork(shim, inside, plan);
  return { inside, own };
}

/**
 * What an ordinary user takes the container's address away by, and gives it another one: his process can use sockets of the namespace
 * but not enter it, so all the rest is prepared here.
 */
function keepSockets(shim: SectionBuilder, own: Result): void {
  const pin = (socket: Result, as: number) =>
    shim.call('dup3', [socket, as, flags(O, 'O_CLOEXEC')], { what: 'pin it' });
  pin(own, FDS.interfaces);
  const connections = openSocket(shim, 'NETLINK_SOCK_DIAG', ['EPROTONOSUPPORT']);
  pin(connections, FDS.connections);
  shim.call('close', [connections]);
  // The bridge then learns of a new Ethernet address where it is (ip-sysctl.rst, arp_notify).
  set(shim, { path: '/proc/sys/net/ipv4/conf/default/arp_notify', what: 'have changes announced' });
}

function createNetwork(shim: SectionBuilder, inside: Result, plan: BridgePlan): void {
  send(shim, inside, [createBridge({ name: 'br0', index: BRIDGE_INDEX })], 'create the bridge');
  if (plan.uplink !== undefined) createUplink(shim, inside, { ...plan, uplink: plan.uplink });
}

function createUplink(shim: SectionBuilder, inside: Result, plan: BridgePlan & { uplink: string }): void {
  const { uplink, gateway, prefix } = plan;
  const outside = openSocket(shim, 'NETLINK_ROUTE');
  const index = uplinkIndex(uplink);
  const port = { name: 'uplink', index: UPLINK_PORT_INDEX, netnsFd: FDS.network };
  send(shim, outside, [createVeth({ name: uplink, index }, port)], `create ${uplink}`);
  send(shim, inside, [setMaster(UPLINK_PORT_INDEX, BRIDGE_INDEX)], `join ${uplink} to the bridge`);
  send(shim, outside, [addAddress(index, { ip: gateway, prefix })], `give ${uplink} the address ${gateway}`);
  if (plan.nftables) createNat(shim, plan);
  const path = `/proc/sys/net/ipv4/conf/${uplink}/forwarding`;
  set(shim, { path, what: `forward what comes from ${uplink}` });
}

/** A table that belongs to a socket, which every shim of the network holds: it goes when the last of them does. */
function createNat(shim: SectionBuilder, { uplink, base, prefix }: BridgePlan & { uplink: string }): void {
  const table = createMasquerade({ table: `mayfly-${uplink}`, source: { base, prefix }, except: uplink });
  const socket = openSocket(shim, 'NETLINK_NETFILTER');
  shim.netlink(socket, table, { what: `masquerade ${base}/${prefix}` });
  shim.call('dup3', [socket, FDS.firewall, flags(O, 'O_CLOEXEC')], { what: 'pin the firewall socket' });
}

/**
 * Instructions for the shim, after clone: init mounts meanwhile, on another CPU. Nothing of the container's namespace is
 * held any longer then.
 */
export function connectToBridge(
  shim: SectionBuilder,
  { inside, own }: BridgeSockets,
  plan: BridgePlan,
): void {
  const veth = { name: plan.port, index: 0, master: BRIDGE_INDEX };
  const eth0 = { name: 'eth0', index: ETH0_INDEX, mac: plan.mac, netnsFd: FDS.netns };
  send(shim, inside, [createVeth(veth, eth0)], 'create eth0');
  connectLoopback(shim, own, [
    bringUp(ETH0_INDEX),
    addAddress(ETH0_INDEX, plan),
    ...(plan.uplink === undefined ? [] : [addDefaultRoute(ETH0_INDEX, plan.gateway)]),
  ]);
}

/** The network namespace of a container, made before it and pinned as fd 7. Result: a socket in it. */
export function openContainerNamespace(shim: SectionBuilder): Result {
  shim.call('unshare', [flags(CLONE, 'CLONE_NEWNET')], {
    what: 'make a network namespace for the container',
  });
  shim.call('dup3', [openNamespace(shim), FDS.netns, flags(O, 'O_CLOEXEC')], { what: 'pin it' });
  disableIpv6(shim);
  return openSocket(shim, 'NETLINK_ROUTE');
}

/**
 * For interfaces that are yet to come; the loopback keeps ::1. The networks are IPv4 only, as Docker's are by default, and
 * address configuration would go on in the background under the lock that the next start needs.
 */
function disableIpv6(shim: SectionBuilder): void {
  const path = '/proc/sys/net/ipv6/conf/default/disable_ipv6';
  // A kernel without IPv6.
  set(shim, { path, what: 'leave IPv6 off', tolerate: ['ENOENT'] });
}

/** Writes 1 into a file of the network namespace that the shim is in. */
function set(
  shim: SectionBuilder,
  { path, what, tolerate = [] }: { path: string; what: string; tolerate?: string[] },
): void {
  const file = shim.call('openat', [AT_FDCWD, path, flags(O, 'O_WRONLY', 'O_CLOEXEC'), 0], {
    what: `open ${path}`,
    tolerate,
  });
  shim.call('write', [file, '1', 1], { what });
}

/** Brings the loopback interface up, and then whatever else the namespace has; then lets go of the namespace. */
export function connectLoopback(shim: SectionBuilder, own: Result, others: readonly Message[] = []): void {
  send(shim, own, [bringUp(LOOPBACK_INDEX), ...others], 'set up the interfaces');
  for (const fd of [own, FDS.netns])
    shim.call('close', [fd], { what: "let go of the container's namespace" });
}

/** Far above the indices that the kernel counts up, and the same for every process of this home. */
function uplinkIndex(uplink: string): number {
  return 0x4000_0000 + Number.parseInt(uplink.slice(-6), 16);
}

export function send(
  section: SectionBuilder,
  socket: OperandLike,
  messages: readonly Message[],
  what: string,
): void {
  section.netlink(socket, acknowledged(messages), { what });
}

export function openSocket(
  section: SectionBuilder,
  family: keyof typeof NETLINK,
  tolerate: readonly string[] = [],
): Result {
  return section.call('socket', [AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK[family]], {
    what: `open a ${family} socket`,
    tolerate,
  });
}

export function openNamespace(section: SectionBuilder): Result {
  return section.call(
    'openat',
    [AT_FDCWD, '/proc/thread-self/ns/net', flags(O, 'O_RDONLY', 'O_CLOEXEC'), 0],
    {
      what: 'open the network namespace',
    },
  );
}
