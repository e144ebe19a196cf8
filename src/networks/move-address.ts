import { CLONE } from '../kernel/mounts/flags.ts';
import { removeLink, setMac } from '../kernel/netlink/link.ts';
import { acknowledged } from '../kernel/netlink/message.ts';
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
 * one from then on. The first is cut off; whatever listens in the second on all addresses goes on.
 */
export function moveAddress(
  section: SectionBuilder,
  { from, to }: { from: Place | undefined; to: Place & { address: AttachmentFacts } },
): void {
  if (from !== undefined) {
    enter(section, from.netns, 'enter the namespace that has the address');
    // Two of one address on a bridge would answer for each other, and the kernel takes a namespace apart when it has time.
    section.netlink(openSocket(section, 'NETLINK_ROUTE'), acknowledged([removeLink(ETH0_INDEX)]), {
      what: 'remove its eth0',
      tolerate: ['ENODEV'],
    });
  }
  enter(section, to.netns, 'enter the namespace that gets the address');
  const socket = openSocket(section, 'NETLINK_ROUTE');
  const { ip, prefix, mac, gateway } = to.address;
  send(
    section,
    socket,
    [
      // The old one first: a second address of the same subnet would go with the first.
      removeAddress(ETH0_INDEX, { ip: to.facts.ip!, prefix: to.facts.prefix! }),
      setMac(ETH0_INDEX, mac!),
      addAddress(ETH0_INDEX, { ip: ip!, prefix: prefix! }),
      ...(gateway === undefined ? [] : [addDefaultRoute(ETH0_INDEX, gateway)]),
    ],
    `change ${to.facts.ip} into ${ip}`,
  );
}

function enter(section: SectionBuilder, netns: OperandLike, what: string): void {
  section.call('setns', [netns, flags(CLONE, 'CLONE_NEWNET')], { what });
}
