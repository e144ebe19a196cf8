import { isIPv4 } from 'node:net';
import { attribute, type Message, NLM_F, u32 } from './message.ts';

// Types and attributes of rtnetlink(7), from <linux/rtnetlink.h> and <linux/if_addr.h>.
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_NEWROUTE = 24;
const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4 } as const;
const RTA = { OIF: 4, GATEWAY: 5 } as const;
const AF_INET = 2;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RT_SCOPE_UNIVERSE = 0;
const RTN_UNICAST = 1;

/** The four bytes of an IPv4 address. @throws RangeError when it is not one. */
export function ipv4Bytes(address: string): Buffer {
  if (!isIPv4(address)) throw new RangeError(`not an IPv4 address: ${address}`);
  return Buffer.from(address.split('.').map(Number));
}

/** RTM_NEWADDR: gives the interface an IPv4 address and the subnet's broadcast address. */
export function addAddress(index: number, { ip, prefix }: { ip: string; prefix: number }): Message {
  const bytes = ipv4Bytes(ip);
  const broadcast = Buffer.alloc(4);
  broadcast.writeUInt32BE((bytes.readUInt32BE() | (0xffff_ffff >>> prefix)) >>> 0);
  // struct ifaddrmsg: family, prefix length, flags, scope, index.
  const header = Buffer.from([AF_INET, prefix, 0, RT_SCOPE_UNIVERSE, 0, 0, 0, 0]);
  header.writeUInt32LE(index, 4);
  return {
    type: RTM_NEWADDR,
    flags: NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL,
    payload: [
      header,
      attribute(IFA.LOCAL, bytes),
      attribute(IFA.ADDRESS, bytes),
      attribute(IFA.BROADCAST, broadcast),
    ],
  };
}

/** RTM_DELADDR: takes an IPv4 address away; the routes that came with it go, too. */
export function removeAddress(index: number, { ip, prefix }: { ip: string; prefix: number }): Message {
  const header = Buffer.from([AF_INET, prefix, 0, RT_SCOPE_UNIVERSE, 0, 0, 0, 0]);
  header.writeUInt32LE(index, 4);
  return { type: RTM_DELADDR, payload: [header, attribute(IFA.LOCAL, ipv4Bytes(ip))] };
}

/** RTM_NEWROUTE: the default route of IPv4, in the main table. */
export function addDefaultRoute(index: number, gateway: string): Message {
  // struct rtmsg: family, destination and source prefix, tos, table, protocol, scope, type, flags.
  const header = Buffer.from([
    AF_INET,
    0,
    0,
    0,
    RT_TABLE_MAIN,
    RTPROT_STATIC,
    RT_SCOPE_UNIVERSE,
    RTN_UNICAST,
  ]);
  return {
    type: RTM_NEWROUTE,
    flags: NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL,
    payload: [header, u32(0), attribute(RTA.GATEWAY, ipv4Bytes(gateway)), attribute(RTA.OIF, u32(index))],
  };
}
