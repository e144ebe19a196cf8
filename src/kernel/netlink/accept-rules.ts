import { isErrno } from '../ffi/system-error.ts';
import { attribute, encodePacket, type Message, NLM_F, nested } from './message.ts';
import {
  be32,
  compare,
  expression,
  interfaceName,
  loadMeta,
  NFT_CMP,
  NFT_META,
  NFT_MSG,
  NFTA_RULE,
  placeOf,
  request,
  transaction,
} from './nft-message.ts';
import { parseAttributes } from './parse.ts';
import { type Exchange, exchange } from './socket.ts';

// From <linux/netfilter/nf_tables.h>, <linux/netfilter.h>.
const NFTA_IMMEDIATE = { DREG: 1, DATA: 2 } as const;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NFT_REG_VERDICT = 0;
const NF_ACCEPT = 1;
/** Where nft(8) and iptables-nft(8) keep a rule's comment: type and length in front of it (libnftnl's udata.h). */
const NFTNL_UDATA_RULE_COMMENT = 0;

interface About {
  readonly what: string;
  readonly over: Exchange;
}

/** A chain of the family `ip`. */
export interface ChainPlace {
  readonly table: string;
  readonly chain: string;
}

/**
 * Puts two rules in front of a chain that accept what comes from an interface and what goes to it, in one transaction. They are such as
 * iptables-nft makes, so that it goes on understanding a table of its.
 *
 * @throws SystemError ENOENT when there is no such chain; EPERM when the table belongs to somebody's socket
 */
export function insertAccept(
  place: ChainPlace,
  { device, comment }: { device: string; comment: string },
): void {
  const accept = (key: number, flags = 0) => {
    const expressions = [
      loadMeta(key),
      compare(NFT_CMP.EQ, interfaceName(device)),
      expression('counter', []),
      expression('immediate', [
        attribute(NFTA_IMMEDIATE.DREG, be32(NFT_REG_VERDICT)),
        nested(NFTA_IMMEDIATE.DATA, [
          nested(NFTA_DATA_VERDICT, [attribute(NFTA_VERDICT_CODE, be32(NF_ACCEPT))]),
        ]),
      ]),
    ];
    const attributes = [
      ...placeOf(place),
      nested(NFTA_RULE.EXPRESSIONS, expressions),
      attribute(NFTA_RULE.USERDATA, userData(comment)),
    ];
    return request(NFT_MSG.NEWRULE, attributes, NLM_F.NLM_F_CREATE | flags);
  };
  change([accept(NFT_META.IIFNAME), accept(NFT_META.OIFNAME, NLM_F.NLM_F_ACK)], {
    what: `accept what ${device} forwards in ${place.table}/${place.chain}`,
    over: exchange,
  });
}

/**
 * Removes the rules of a chain that have this comment, if there are any, and if there is the chain. `over`: default: a socket of its own.
 *
 * @throws SystemError
 */
export function removeCommented(
  place: ChainPlace,
  { comment, over = exchange }: { comment: string; over?: Exchange | undefined },
): void {
  const what = `remove rules of ${place.table}/${place.chain}`;
  const wanted = userData(comment);
  const rules = listRules(place, { what, over }).filter(({ data }) => data?.equals(wanted));
  if (rules.length === 0) return;
  const remove = (handle: Buffer, last: boolean) =>
    request(
      NFT_MSG.DELRULE,
      [...placeOf(place), attribute(NFTA_RULE.HANDLE, handle)],
      last ? NLM_F.NLM_F_ACK : 0,
    );
  change(
    rules.map(({ handle }, i) => remove(handle, i === rules.length - 1)),
    { what, over },
  );
}

function listRules(place: ChainPlace, { what, over }: About): { handle: Buffer; data: Buffer | undefined }[] {
  const packet = encodePacket([request(NFT_MSG.GETRULE, placeOf(place), NLM_F.NLM_F_DUMP)]);
  try {
    return over(packet, { family: 'NETLINK_NETFILTER', what }).map(({ payload }) => {
      const attributes = parseAttributes(payload.subarray(4));
      return { handle: attributes.get(NFTA_RULE.HANDLE)!, data: attributes.get(NFTA_RULE.USERDATA) };
    });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function change(requests: readonly Message[], { what, over }: About): void {
  over(encodePacket(transaction(requests)), { family: 'NETLINK_NETFILTER', what });
}

function userData(comment: string): Buffer {
  const bytes = Buffer.from(`${comment}\0`);
  return Buffer.concat([Buffer.from([NFTNL_UDATA_RULE_COMMENT, bytes.length]), bytes]);
}
