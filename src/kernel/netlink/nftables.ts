import { attribute, encodePacket, NLM_F, nested, text } from './message.ts';
import {
  be32,
  compare,
  expression,
  interfaceName,
  loadMeta,
  NFT_CMP,
  NFT_META,
  NFT_MSG,
  NFT_REG_1,
  NFTA_RULE,
  placeOf,
  request,
  transaction,
} from './nft-message.ts';
import { ipv4Bytes } from './route.ts';

// From <linux/netfilter/nf_tables.h>.
const NFTA_TABLE = { NAME: 1, FLAGS: 2 } as const;
const NFTA_CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, TYPE: 7 } as const;
const NFTA_HOOK = { HOOKNUM: 1, PRIORITY: 2 } as const;
const NFTA_PAYLOAD = { DREG: 1, BASE: 2, OFFSET: 3, LEN: 4 } as const;
const NFTA_BITWISE = { SREG: 1, DREG: 2, LEN: 3, MASK: 4, XOR: 5 } as const;
const NFTA_DATA_VALUE = 1;
const NFT_PAYLOAD_NETWORK_HEADER = 1;
/** The table belongs to the socket that made it and goes when that is closed (Linux 5.12). */
const NFT_TABLE_F_OWNER = 2;
const NF_INET_POST_ROUTING = 4;
const NF_IP_PRI_NAT_SRC = 100;
/** Offset and length of the source address in an IPv4 header (RFC 791, section 3.1). */
const SOURCE_ADDRESS = { offset: 12, length: 4 } as const;

export interface MasqueradeOptions {
  /** Name of the table; there may be one of that name in the network namespace. */
  readonly table: string;
  /** IPv4 network whose packets get the address of the interface that they leave by. */
  readonly source: { readonly base: string; readonly prefix: number };
  /** The interface by which packets leave unchanged. */
  readonly except: string;
}

/**
 * A packet for a NETLINK_NETFILTER socket that makes, in one transaction,
 * `table ip <table> { chain postrouting { type nat hook postrouting priority srcnat;
 * ip saddr <source>/<prefix> oifname != <except> masquerade } }`, which the kernel removes when the socket is closed.
 */
export function createMasquerade({ table, source, except }: MasqueradeOptions): Buffer {
  const chain = 'postrouting';
  return encodePacket(
    transaction([
      request(NFT_MSG.NEWTABLE, [
        attribute(NFTA_TABLE.NAME, text(table)),
        attribute(NFTA_TABLE.FLAGS, be32(NFT_TABLE_F_OWNER)),
      ]),
      request(NFT_MSG.NEWCHAIN, [
        attribute(NFTA_CHAIN.TABLE, text(table)),
        attribute(NFTA_CHAIN.NAME, text(chain)),
        nested(NFTA_CHAIN.HOOK, [
          attribute(NFTA_HOOK.HOOKNUM, be32(NF_INET_POST_ROUTING)),
          attribute(NFTA_HOOK.PRIORITY, be32(NF_IP_PRI_NAT_SRC)),
        ]),
        attribute(NFTA_CHAIN.TYPE, text('nat')),
      ]),
      request(
        NFT_MSG.NEWRULE,
        [
          ...placeOf({ table, chain }),
          nested(NFTA_RULE.EXPRESSIONS, [
            loadSourceAddress(),
            mask(source.prefix),
            compare(NFT_CMP.EQ, ipv4Bytes(source.base)),
            loadMeta(NFT_META.OIFNAME),
            compare(NFT_CMP.NEQ, interfaceName(except)),
            expression('masq', []),
          ]),
        ],
        NLM_F.NLM_F_CREATE | NLM_F.NLM_F_ACK,
      ),
    ]),
  );
}

function loadSourceAddress(): Buffer {
  return expression('payload', [
    attribute(NFTA_PAYLOAD.DREG, be32(NFT_REG_1)),
    attribute(NFTA_PAYLOAD.BASE, be32(NFT_PAYLOAD_NETWORK_HEADER)),
    attribute(NFTA_PAYLOAD.OFFSET, be32(SOURCE_ADDRESS.offset)),
    attribute(NFTA_PAYLOAD.LEN, be32(SOURCE_ADDRESS.length)),
  ]);
}

/** Keeps the network part of the address in the register. */
function mask(prefix: number): Buffer {
  const bits = prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0;
  return expression('bitwise', [
    attribute(NFTA_BITWISE.SREG, be32(NFT_REG_1)),
    attribute(NFTA_BITWISE.DREG, be32(NFT_REG_1)),
    attribute(NFTA_BITWISE.LEN, be32(SOURCE_ADDRESS.length)),
    nested(NFTA_BITWISE.MASK, [attribute(NFTA_DATA_VALUE, be32(bits))]),
    nested(NFTA_BITWISE.XOR, [attribute(NFTA_DATA_VALUE, be32(0))]),
  ]);
}
