import { attribute, type Message, NLM_F, nested, text, u32 } from './message.ts';

// Types and attributes of rtnetlink(7) for links, from <linux/rtnetlink.h>, <linux/if_link.h>, <linux/veth.h>.
const RTM_NEWLINK = 16;
const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  MASTER: 10,
  LINKINFO: 18,
  NET_NS_FD: 28,
} as const;
const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
const VETH_INFO_PEER = 1;
const IFLA_BR_MCAST_SNOOPING = 23;
const IFF_UP = 1;

/** The index that the loopback interface has in every network namespace. */
export const LOOPBACK_INDEX = 1;

/** An interface to be made; all but the peer of a veth come into being in state up. */
export interface LinkOptions {
  /** At most 15 bytes. */
  readonly name: string;
  /** Wanted index; one that is taken fails with EBUSY. */
  readonly index: number;
  /** Descriptor of the network namespace that it is made in; default: that of the socket. */
  readonly netnsFd?: number;
  /** Ethernet address, `02:42:0a:40:00:02`; default: random. */
  readonly mac?: string;
  /** Bytes; default: 1500. */
  readonly mtu?: number;
  /** Index of the bridge, in the namespace of the new interface, that it becomes a port of. Not for the peer of a veth. */
  readonly master?: number;
}

/** RTM_NEWLINK for a bridge that does no spanning tree and floods multicast, so that it forwards from the first packet. */
export function createBridge(link: LinkOptions): Message {
  const data = nested(IFLA_INFO.DATA, [attribute(IFLA_BR_MCAST_SNOOPING, Uint8Array.of(0))]);
  return create(link, nested(IFLA.LINKINFO, [attribute(IFLA_INFO.KIND, text('bridge')), data]));
}

/**
 * RTM_NEWLINK for a pair; each end may be in a namespace of its own. The peer has to be brought up afterwards: at birth
 * the ends do not know each other yet, and the kernel refuses (veth_open, ENOTCONN).
 */
export function createVeth(link: LinkOptions, peer: LinkOptions): Message {
  const data = nested(IFLA_INFO.DATA, [nested(VETH_INFO_PEER, [header(peer.index, 0), ...attributes(peer)])]);
  return create(link, nested(IFLA.LINKINFO, [attribute(IFLA_INFO.KIND, text('veth')), data]));
}

/** RTM_NEWLINK that brings an existing interface up. */
export function bringUp(index: number): Message {
  return { type: RTM_NEWLINK, payload: [header(index)] };
}

/** RTM_NEWLINK that gives an existing interface another Ethernet address. */
export function setMac(index: number, mac: string): Message {
  return { type: RTM_NEWLINK, payload: [header(index), attribute(IFLA.ADDRESS, macBytes(mac))] };
}

/** RTM_NEWLINK that makes an interface a port of a bridge and brings it up. */
export function setMaster(index: number, master: number): Message {
  return { type: RTM_NEWLINK, payload: [header(index), attribute(IFLA.MASTER, u32(master))] };
}

function create(link: LinkOptions, info: Buffer): Message {
  return {
    type: RTM_NEWLINK,
    flags: NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL,
    payload: [header(link.index), ...attributes(link), info],
  };
}

/** struct ifinfomsg: family, padding, hardware type, index, flags, mask of the flags that are meant. */
function header(index: number, change: number = IFF_UP): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt32LE(change, 8);
  bytes.writeUInt32LE(change, 12);
  return bytes;
}

function attributes({ name, netnsFd, mac, mtu, master }: LinkOptions): Buffer[] {
  return [
    attribute(IFLA.IFNAME, text(name)),
    ...(netnsFd === undefined ? [] : [attribute(IFLA.NET_NS_FD, u32(netnsFd))]),
    ...(mac === undefined ? [] : [attribute(IFLA.ADDRESS, macBytes(mac))]),
    ...(mtu === undefined ? [] : [attribute(IFLA.MTU, u32(mtu))]),
    ...(master === undefined ? [] : [attribute(IFLA.MASTER, u32(master))]),
  ];
}

const macBytes = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex');
