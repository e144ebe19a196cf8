import { LOOPBACK_INDEX } from '../netlink/link.ts';
import { acknowledged, attribute, NLM_F, text } from '../netlink/message.ts';
import type { Program } from '../program/instruction.ts';
import { inNetwork, openSocket } from './bridge.ts';
import type { ProbeUser } from './namespaces.ts';

// <linux/rtnetlink.h>, <linux/pkt_sched.h>
const RTM_NEWQDISC = 36;
const TCA = { KIND: 1, OPTIONS: 2 } as const;
const TC_H_ROOT = 0xffff_ffff;
/** struct tcmsg: family and padding, interface, handle, parent, information. */
const MESSAGE_SIZE = 20;
/** struct tc_netem_qopt: latency, limit, loss, gap, duplicate, jitter; a limit of 1000 packets is netem's own default. */
const NETEM_SIZE = 24;

/** A queueing discipline that delays and loses packets (tc-netem(8)), on a loopback interface of its own. */
export function netem(user: ProbeUser): Program {
  const message = Buffer.alloc(MESSAGE_SIZE);
  message.writeInt32LE(LOOPBACK_INDEX, 4);
  message.writeUInt32LE(TC_H_ROOT, 12);
  const options = Buffer.alloc(NETEM_SIZE);
  options.writeUInt32LE(1000, 4);
  const request = {
    type: RTM_NEWQDISC,
    flags: NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL,
    payload: [message, attribute(TCA.KIND, text('netem')), attribute(TCA.OPTIONS, options)],
  };
  return inNetwork(user, (section) => {
    const socket = openSocket(section, 'NETLINK_ROUTE');
    section.netlink(socket, acknowledged([request]), { what: 'add a netem queueing discipline' });
  });
}
