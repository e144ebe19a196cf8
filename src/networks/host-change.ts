import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { insertAccept, removeCommented } from '../kernel/netlink/accept-rules.ts';
import type { NftChain } from '../kernel/netlink/forward-chains.ts';
import type { Exchange } from '../kernel/netlink/socket.ts';
import { runTool } from '../kernel/processes/run-tool.ts';

/**
 * A change to the host's own network that a network of ours needs, as a value: it is written down first, then made, so that any
 * process can undo it, whenever its maker was killed.
 */
export type HostChange =
  | { readonly kind: 'sysctl'; readonly path: string; readonly before: string }
  /** Rules of nftables that accept what an interface forwards. */
  | { readonly kind: 'accept'; readonly table: string; readonly chain: string; readonly device: string }
  | {
      readonly kind: 'rule';
      readonly tool: string;
      readonly table: string;
      readonly chain: string;
      readonly rule: readonly string[];
    };

/** Lets answers in from the interface that leads to the world. Undefined when the host forwards already. */
export function forwardFrom(device: string): HostChange | undefined {
  const path = `/proc/sys/net/ipv4/conf/${device}/forwarding`;
  const before = readFileSync(path, 'latin1').trim();
  return before === '1' ? undefined : { kind: 'sysctl', path, before };
}

/**
 * Accept rules where the host drops what it is to forward, as it does where dockerd runs. `chains`: what there is of nftables.
 *
 * No table of ours could help: a packet has to pass every chain. So the rules go into the chain that drops, in front, or into
 * DOCKER-USER, which Docker leaves to others.
 */
export function acceptForwarded(uplink: string, chains: readonly NftChain[]): HostChange[] {
  const isForOthers = ({ table, name }: NftChain) => table === 'filter' && name === 'DOCKER-USER';
  const nft = chains
    .filter(({ dropsForwarded }) => dropsForwarded)
    .map(({ table, name }): HostChange => {
      const chain = table === 'filter' && chains.some(isForOthers) ? 'DOCKER-USER' : name;
      return { kind: 'accept', table, chain, device: uplink };
    });
  return [...nft, ...(legacyDrops() ? acceptByLegacy(uplink) : [])];
}

function acceptByLegacy(uplink: string): HostChange[] {
  const place = { tool: 'iptables-legacy', table: 'filter' };
  const isForOthers = run(place.tool, ['--list-rules', 'DOCKER-USER']) !== undefined;
  const chain = isForOthers ? 'DOCKER-USER' : 'FORWARD';
  return ['--in-interface', '--out-interface'].map((direction) =>
    taggedRule({ ...place, chain, rule: [direction, uplink, '--jump', 'ACCEPT'] }),
  );
}

/** NAT for a whole subnet by iptables, for kernels without nftables. */
export function masqueradeSubnet(subnet: string, uplink: string): HostChange {
  const rule = ['--source', subnet, '!', '--out-interface', uplink, '--jump', 'MASQUERADE'];
  return taggedRule({ tool: 'iptables-legacy', table: 'nat', chain: 'POSTROUTING', rule });
}

/** Makes a change that has been written down. */
export function makeChange(change: HostChange): void {
  if (change.kind === 'sysctl') writeFileSync(change.path, '1');
  else if (change.kind === 'accept')
    insertAccept(change, { device: change.device, comment: commentOf(change) });
  else runTool(change.tool, ['--wait', '--table', change.table, '--insert', change.chain, ...change.rule]);
}

/**
 * Undoes a change, unless it is undone already: by a reboot, or because the interface is gone. `over`: a way to change nftables.
 * Default: a socket of its own.
 */
export function undoChange(change: HostChange, over?: Exchange): void {
  if (change.kind === 'accept') {
    try {
      removeCommented(change, { comment: commentOf(change), over });
    } catch (error) {
      // Somebody has removed them just now, or has the table to himself since then.
      if (!isErrno(error, 'ENOENT', 'EPERM')) throw error;
    }
    return;
  }
  if (change.kind === 'rule') {
    run(change.tool, ['--table', change.table, '--delete', change.chain, ...change.rule]);
    return;
  }
  try {
    writeFileSync(change.path, change.before);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** What the rules are found by again: no two networks have the same interface. */
const commentOf = ({ device }: { device: string }) => `mayfly ${device}`;

function taggedRule({ rule, ...place }: Omit<HostChange & { kind: 'rule' }, 'kind'>): HostChange {
  return { kind: 'rule', ...place, rule: [...rule, '--match', 'comment', '--comment', 'mayfly'] };
}

function legacyDrops(): boolean {
  const names = '/proc/net/ip_tables_names';
  if (!existsSync(names) || !readFileSync(names, 'latin1').split('\n').includes('filter')) return false;
  return run('iptables-legacy', ['--list-rules', 'FORWARD'])?.includes('-P FORWARD DROP') ?? false;
}

/** Undefined when the tool is not there or says no. */
function run(tool: string, args: readonly string[]): string | undefined {
  try {
    return runTool(tool, ['--wait', ...args]);
  } catch {
    return undefined;
  }
}
