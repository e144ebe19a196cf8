import { writeFileSync } from 'node:fs';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { setMac } from '../kernel/netlink/link.ts';
import { acknowledged, type Message } from '../kernel/netlink/message.ts';
import { addAddress, addDefaultRoute, removeAddress } from '../kernel/netlink/route.ts';
import { destroyTcpSockets } from '../kernel/netlink/sock-diag.ts';
import type { Exchange } from '../kernel/netlink/socket.ts';
import type { AttachmentFacts } from './attachment.ts';
import { ETH0_INDEX } from './bridge-program.ts';
import type { NamespaceAccess } from './namespace-access.ts';

/** One running container's place on a bridge network. */
export interface Place {
  readonly facts: AttachmentFacts;
  readonly shimPid: number;
  /** A process in its network namespace. */
  readonly pid: number;
}

export interface AddressMove {
  /** Who has the address; undefined for one that has ended. */
  readonly from: Place | undefined;
  readonly to: Place & { readonly address: AttachmentFacts };
}

/**
 * Gives the address of one container to another one on the same network: whoever speaks to it reaches the other one from then on, and
 * whoever was connected gets a reset. The first is left without any; whatever listens in the second on all addresses goes on.
 *
 * Nothing is removed or brought down, because the kernel waits for all CPUs then, under a lock that everybody needs.
 *
 * @throws SystemError; then the first has it still, but for its connections
 */
export function moveAddress({ from, to }: AddressMove, open: (place: Place) => NamespaceAccess): void {
  const { address } = to;
  using old = from && open(from);
  using fresh = open(to);
  try {
    if (old !== undefined) takeAway(old, { address, mac: to.facts.mac! });
    give(fresh, to);
  } catch (error) {
    if (old !== undefined) giveBack(old, address);
    throw error;
  }
}

function takeAway(old: NamespaceAccess, { address, mac }: { address: AttachmentFacts; mac: string }): void {
  old.within((exchange) => {
    // While it still has the address: without one, nobody would be told.
    destroyTcpSockets(exchange);
    send(
      exchange,
      [removeAddress(ETH0_INDEX, placeOf(address)), setMac(ETH0_INDEX, mac)],
      `take ${address.ip} away`,
    );
  });
}

function give(fresh: NamespaceAccess, { address, facts }: AddressMove['to']): void {
  fresh.within((exchange) => {
    // With a new Ethernet address the kernel says so to everybody, and the bridge learns where it is (ip-sysctl.rst, arp_notify).
    if (fresh.enters) writeFileSync('/proc/sys/net/ipv4/conf/eth0/arp_notify', '1');
    send(
      exchange,
      [
        // The old one first: a second address of the same subnet would go with the first.
        removeAddress(ETH0_INDEX, placeOf(facts)),
        ...settingOf(address),
      ],
      `change ${facts.ip} into ${address.ip}`,
    );
  });
}

/** Whatever of it has been taken away. */
function giveBack(old: NamespaceAccess, address: AttachmentFacts): void {
  old.within((exchange) => {
    for (const message of settingOf(address)) {
      try {
        send(exchange, [message], `give ${address.ip} back`);
      } catch (error) {
        if (!isErrno(error, 'EEXIST')) throw error;
      }
    }
  });
}

const settingOf = (address: AttachmentFacts): Message[] => [
  addAddress(ETH0_INDEX, placeOf(address)),
  ...(address.gateway === undefined ? [] : [addDefaultRoute(ETH0_INDEX, address.gateway)]),
  setMac(ETH0_INDEX, address.mac!),
];

const placeOf = ({ ip, prefix }: AttachmentFacts) => ({ ip: ip!, prefix: prefix! });

function send(exchange: Exchange, messages: readonly Message[], what: string): void {
  exchange(acknowledged(messages), { family: 'NETLINK_ROUTE', what });
}
