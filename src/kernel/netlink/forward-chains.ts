import { isErrno } from '../ffi/system-error.ts';
import { encodePacket, NLM_F } from './message.ts';
import { NFT_MSG, request } from './nft-message.ts';
import { parseAttributes } from './parse.ts';
import { exchange } from './socket.ts';

// From <linux/netfilter/nf_tables.h>, <linux/netfilter.h>.
const NFTA_CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5 } as const;
const NFTA_HOOK_HOOKNUM = 1;
const NF_INET_FORWARD = 2;
const NF_DROP = 0;

/** One chain of the nftables of this network namespace, of the family `ip`. */
export interface NftChain {
  readonly table: string;
  readonly name: string;
  /** True when packets to be forwarded come to it and are dropped unless one of its rules says otherwise. */
  readonly dropsForwarded: boolean;
}

/** Every chain of the family `ip`; undefined when the kernel has no nftables. @throws SystemError */
export function listChains(): NftChain[] | undefined {
  try {
    return exchange(encodePacket([request(NFT_MSG.GETCHAIN, [], NLM_F.NLM_F_DUMP)]), {
      family: 'NETLINK_NETFILTER',
      what: 'list nftables chains',
    }).map(({ payload }) => parseChain(payload.subarray(4)));
  } catch (error) {
    // No netfilter netlink at all, or nobody in it who knows nftables.
    if (isErrno(error, 'EPROTONOSUPPORT', 'EINVAL', 'ENOENT', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}

function parseChain(bytes: Buffer): NftChain {
  const attributes = parseAttributes(bytes);
  const hook = attributes.get(NFTA_CHAIN.HOOK);
  const hookNumber = hook && parseAttributes(hook).get(NFTA_HOOK_HOOKNUM)?.readUInt32BE();
  return {
    table: parseText(attributes.get(NFTA_CHAIN.TABLE)),
    name: parseText(attributes.get(NFTA_CHAIN.NAME)),
    dropsForwarded:
      hookNumber === NF_INET_FORWARD && attributes.get(NFTA_CHAIN.POLICY)?.readUInt32BE() === NF_DROP,
  };
}

const parseText = (bytes: Buffer | undefined): string => bytes?.toString('latin1').replace(/\0+$/, '') ?? '';
