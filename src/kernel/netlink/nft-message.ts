import { attribute, type Message, NLM_F, nested, text } from './message.ts';

/**
 * What requests of nftables are made of, from <linux/netfilter/nfnetlink.h> and <linux/netfilter/nf_tables.h>. Integers inside their
 * attributes are big-endian.
 */
const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH = { BEGIN: 16, END: 17 } as const;
export const NFT_MSG = { NEWTABLE: 0, NEWCHAIN: 3, GETCHAIN: 4, NEWRULE: 6, GETRULE: 7, DELRULE: 8 } as const;
export const NFTA_RULE = { TABLE: 1, CHAIN: 2, HANDLE: 3, EXPRESSIONS: 4, USERDATA: 7 } as const;
export const NFPROTO_IPV4 = 2;
const NFTA_LIST_ELEM = 1;
const NFTA_EXPR = { NAME: 1, DATA: 2 } as const;
const NFTA_META = { DREG: 1, KEY: 2 } as const;
const NFTA_CMP = { SREG: 1, OP: 2, DATA: 3 } as const;
const NFTA_DATA_VALUE = 1;
export const NFT_REG_1 = 1;
export const NFT_META = { IIFNAME: 6, OIFNAME: 7 } as const;
export const NFT_CMP = { EQ: 0, NEQ: 1 } as const;

/** One request, of the family `ip`; without flags one that makes something. */
export function request(
  type: number,
  attributes: readonly Uint8Array[],
  flags: number = NLM_F.NLM_F_CREATE,
): Message {
  return {
    type: (NFNL_SUBSYS_NFTABLES << 8) | type,
    flags,
    payload: [header(NFPROTO_IPV4, 0), ...attributes],
  };
}

/** Requests that are done all or none. On one of them only an acknowledgement may be asked for, because who sends waits for one. */
export function transaction(requests: readonly Message[]): Message[] {
  const border = (type: number): Message => ({ type, payload: [header(0, NFNL_SUBSYS_NFTABLES)] });
  return [border(NFNL_MSG_BATCH.BEGIN), ...requests, border(NFNL_MSG_BATCH.END)];
}

/** struct nfgenmsg: family, version, resource id in big-endian. */
function header(family: number, resource: number): Buffer {
  return Buffer.from([family, 0, resource >> 8, resource & 0xff]);
}

/** Attributes that say where a rule is. */
export const placeOf = ({ table, chain }: { table: string; chain: string }): Buffer[] => [
  attribute(NFTA_RULE.TABLE, text(table)),
  attribute(NFTA_RULE.CHAIN, text(chain)),
];

/** One step of a rule. */
export function expression(name: string, attributes: readonly Uint8Array[]): Buffer {
  return nested(NFTA_LIST_ELEM, [attribute(NFTA_EXPR.NAME, text(name)), nested(NFTA_EXPR.DATA, attributes)]);
}

/** Puts what is known of a packet besides its bytes into the register. */
export function loadMeta(key: number): Buffer {
  return expression('meta', [
    attribute(NFTA_META.DREG, be32(NFT_REG_1)),
    attribute(NFTA_META.KEY, be32(key)),
  ]);
}

/** Ends the rule unless the register compares so with `value`. */
export function compare(operator: number, value: Uint8Array): Buffer {
  return expression('cmp', [
    attribute(NFTA_CMP.SREG, be32(NFT_REG_1)),
    attribute(NFTA_CMP.OP, be32(operator)),
    nested(NFTA_CMP.DATA, [attribute(NFTA_DATA_VALUE, value)]),
  ]);
}

/** IFNAMSIZ bytes, as the kernel keeps names in a register. */
export function interfaceName(name: string): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.write(name);
  return bytes;
}

export function be32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
