import { writeFileSync } from 'node:fs';
import { inNetworkNamespace } from '../kernel/namespaces/in-network.ts';
import { setMac } from '../kernel/netlink/link.ts';
import { acknowledged, type Message } from '../kernel/netlink/message.ts';
import { addAddress, addDefaultRoute, removeAddress } from '../kernel/netlink/route.ts';
import { destroyTcpSockets } from '../kernel/netlink/sock-diag.ts';
import { exchange } from '../kernel/netlink/socket.ts';
import type { AttachmentFacts } from './attachment.ts';
import { ETH0_INDEX } from './bridge-program.ts';

/** One container's place on a bridge network, and a descriptor of its network namespace. */
export interface Place {
  readonly netns: number;
  readonly facts: AttachmentFacts;
}

/**
 * Gives the address of one container to another one on the same network: whoever speaks to it reaches the other one from then on, and
 * whoever was connected gets a reset. The first is left without any; whatever listens in the second on all addresses goes on.
 *
 * Nothing is removed or brought down, because the kernel waits for all CPUs then, under a lock that everybody needs.
 *
 * @throws SystemError
 */
export function moveAddress({
  from,
  to,
}: {
  from: Place | undefined;
  to: Place & { address: AttachmentFacts };
}): void {
  const { address } = to;
  if (from !== undefined) {
    inNetworkNamespace(from.netns, () => {
      // While it still has the address: without one, nobody would be told.
      destroyTcpSockets();
      send(
        [removeAddress(ETH0_INDEX, placeOf(address)), setMac(ETH0_INDEX, to.facts.mac!)],
        `take ${address.ip} away`,
      );
    });
  }
  inNetworkNamespace(to.netns, () => {
    // With a new Ethernet address the kernel says so to everybody, and the bridge learns where it is (ip-sysctl.rst, arp_notify).
    writeFileSync('/proc/sys/net/ipv4/conf/eth0/arp_notify', '1');
    send(
      [
        // The old one first: a second address of the same subnet would go with the first.
        removeAddress(ETH0_INDEX, placeOf(to.facts)),
        addAddress(ETH0_INDEX, placeOf(address)),
        ...(address.gateway === undefined ? [] : [addDefaultRoute(ETH0_INDEX, address.gateway)]),
        setMac(ETH0_INDEX, address.mac!),
      ],
      `change ${to.facts.ip} into ${address.ip}`,
    );
  });
}

const placeOf = ({ ip, prefix }: AttachmentFacts) => ({ ip: ip!, prefix: prefix! });

function send(messages: readonly Message[], what: string): void {
  exchange(acknowledged(messages), { family: 'NETLINK_ROUTE', what });
}
