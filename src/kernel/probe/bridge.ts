import { createBridge, createVeth } from '../netlink/link.ts';
import { acknowledged } from '../netlink/message.ts';
import { createMasquerade } from '../netlink/nftables.ts';
import { AF_NETLINK, NETLINK, SOCK_RAW_CLOEXEC } from '../netlink/socket.ts';
import type { SectionBuilder } from '../program/builder.ts';
import type { Program, Result } from '../program/instruction.ts';
import type { ProbeUser } from './namespaces.ts';
import { becomeNamespaceRoot, throwaway } from './throwaway.ts';

/** A bridge with a veth on it, in a network namespace of their own. */
export function bridge(user: ProbeUser): Program {
  return inNetwork(user, (section) => {
    const socket = openSocket(section, 'NETLINK_ROUTE');
    const veth = { name: 'probe0', index: 11, master: 10 };
    const packets = [
      ['create a bridge', acknowledged([createBridge({ name: 'br0', index: 10 })])],
      ['create a veth', acknowledged([createVeth(veth, { name: 'probe1', index: 12 })])],
    ] as const;
    for (const [what, packet] of packets) section.netlink(socket, packet, { what });
  });
}

/** NAT by nftables, in a network namespace of its own. */
export function nat(user: ProbeUser): Program {
  const table = createMasquerade({
    table: 'mayfly-probe',
    source: { base: '192.0.2.0', prefix: 24 },
    except: 'lo',
  });
  return inNetwork(user, (section) => {
    section.netlink(openSocket(section, 'NETLINK_NETFILTER'), table, { what: 'make a table of nftables' });
  });
}

/** A section with CAP_NET_ADMIN over a network namespace that is empty but for the loopback interface. */
export function inNetwork(user: ProbeUser, write: (section: SectionBuilder) => void): Program {
  return throwaway(user.apart ? ['CLONE_NEWUSER', 'CLONE_NEWNET'] : ['CLONE_NEWNET'], (section) => {
    if (user.apart) becomeNamespaceRoot(section, user);
    write(section);
  });
}

export function openSocket(section: SectionBuilder, family: keyof typeof NETLINK): Result {
  return section.call('socket', [AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK[family]], {
    what: `open a ${family} socket`,
  });
}
