import { AT_FDCWD, CLONE, O } from '../kernel/mounts/flags.ts';
import { setMac } from '../kernel/netlink/link.ts';
import { addAddress, addDefaultRoute, removeAddress } from '../kernel/netlink/route.ts';
import { flags, type SectionBuilder } from '../kernel/program/builder.ts';
import type { OperandLike } from '../kernel/program/instruction.ts';
import type { AttachmentFacts } from './attachment.ts';
import { ETH0_INDEX, openSocket, send } from './bridge-program.ts';

/** One container's place on a bridge network, and a descriptor of its network namespace. */
export interface Place {
  readonly netns: OperandLike;
  readonly facts: AttachmentFacts;
}

/**
 * Instructions that give the address of one container to another one on the same network: whoever speaks to it reaches the other
 * one from then on. The first is left without any; whatever listens in the second on all addresses goes on.
 *
 * Nothing is removed or brought down, because the kernel waits for all CPUs then, under a lock that everybody needs.
 */
export function moveAddress(
  section: SectionBuilder,
  { from, to }: { from: Place | undefined; to: Place & { address: AttachmentFacts } },
): void {
  const { address } = to;
  if (from !== undefined) {
    enter(section, from.netns, 'enter the namespace that has the address');
    const messages = [removeAddress(ETH0_INDEX, placeOf(address)), setMac(ETH0_INDEX, to.facts.mac!)];
    send(section, openSocket(section, 'NETLINK_ROUTE'), messages, `take ${address.ip} away`);
  }
  enter(section, to.netns, 'enter the namespace that gets the address');
  // With a new Ethernet address the kernel says so to everybody, and the bridge learns where it is (ip-sysctl.rst, arp_notify).
  const path = '/proc/sys/net/ipv4/conf/eth0/arp_notify';
  const notify = section.call('openat', [AT_FDCWD, path, flags(O, 'O_WRONLY', 'O_CLOEXEC'), 0], {
    what: `open ${path}`,
  });
  section.call('write', [notify, '1', 1], { what: 'have changes announced' });
  const messages = [
    // The old one first: a second address of the same subnet would go with the first.
    removeAddress(ETH0_INDEX, placeOf(to.facts)),
    addAddress(ETH0_INDEX, placeOf(address)),
    ...(address.gateway === undefined ? [] : [addDefaultRoute(ETH0_INDEX, address.gateway)]),
    setMac(ETH0_INDEX, address.mac!),
  ];
  send(section, openSocket(section, 'NETLINK_ROUTE'), messages, `change ${to.facts.ip} into ${address.ip}`);
}

const placeOf = ({ ip, prefix }: AttachmentFacts) => ({ ip: ip!, prefix: prefix! });

function enter(section: SectionBuilder, netns: OperandLike, what: string): void {
  section.call('setns', [netns, flags(CLONE, 'CLONE_NEWNET')], { what });
}
