import { isErrno } from '../../kernel/ffi/system-error.ts';
import { listChains } from '../../kernel/netlink/forward-chains.ts';
import { bridge, nat } from '../../kernel/probe/bridge.ts';
import { manageInterfaces } from '../../kernel/probe/interfaces.ts';
import { mayWrite, readSysctl, sysctlPath } from '../../kernel/probe/kernel-file.ts';
import { netem } from '../../kernel/probe/netem.ts';
import type { Outcome } from '../../kernel/probe/throwaway.ts';
import type { Check, Examination, Examine } from './check.ts';
import { describeFailure } from './describe-failure.ts';
import { installCommand } from './distribution.ts';
import { findProgram } from './find-program.ts';

/** What connects containers with each other and with the world. */
export const examineNetwork: Examine = async (examination) => {
  const { laboratory, rung, user } = examination;
  return [
    ...(rung === 'root' ? [interfaces()] : []),
    judge(await laboratory.attempt(bridge(user)), {
      id: 'bridge',
      works: 'bridge and veth can be made',
      effect: 'containers have no network but `none` and `host`',
      fix: 'modprobe -a bridge veth',
    }),
    rung === 'root' ? await translation(examination) : noWayOut(),
    judge(await laboratory.attempt(netem(user)), {
      id: 'netem',
      works: 'delay and loss can be simulated',
      effect: 'networks cannot be made slow or lossy',
      fix: 'modprobe sch_netem; it is in linux-modules-extra on Ubuntu and kernel-modules-extra on Fedora',
    }),
    ...(rung === 'root' ? [forwarding(), firewall()] : []),
  ];
};

function judge(
  outcome: Outcome,
  { id, works, effect, fix }: { id: string; works: string; effect: string; fix: string },
): Check {
  const common = { id, group: 'network' } as const;
  if (outcome.works) return { ...common, status: 'ok', found: works };
  return { ...common, status: 'lacking', found: describeFailure(outcome), effect, fix };
}

function interfaces(): Check {
  return judge(manageInterfaces(), {
    id: 'interfaces',
    works: 'can be made in this network namespace',
    effect: 'containers have no network but `none` and `host`',
    fix: 'give this process CAP_NET_ADMIN over its network namespace: docker run --cap-add NET_ADMIN',
  });
}

async function translation({ laboratory, user, distribution }: Examination): Promise<Check> {
  const outcome = await laboratory.attempt(nat(user));
  if (!outcome.works && findProgram('iptables-legacy') !== undefined)
    return { id: 'nat', group: 'network', status: 'ok', found: 'by iptables, as there is no nftables' };
  return judge(outcome, {
    id: 'nat',
    works: 'by nftables',
    effect: 'containers do not reach the world outside this machine',
    fix: `modprobe nf_tables, or: ${installCommand(distribution, { debian: 'iptables', fedora: 'iptables-legacy' })}`,
  });
}

/** Only root can connect a network of containers with that of the machine. */
function noWayOut(): Check {
  return {
    id: 'nat',
    group: 'network',
    status: 'lacking',
    found: 'none without root',
    effect:
      'containers do not reach the world outside this machine; they are reached through published ports',
    fix: 'run as root where a container has to call out',
  };
}

function forwarding(): Check {
  const name = 'net.ipv4.conf.all.forwarding';
  const common = { id: 'forwarding', group: 'network' } as const;
  if (readSysctl(name) === '1') return { ...common, status: 'ok', found: 'on' };
  if (mayWrite(sysctlPath(name)))
    return { ...common, status: 'ok', found: 'off; switched on for one interface while containers run' };
  return {
    ...common,
    status: 'lacking',
    found: 'off, and /proc/sys is read-only',
    effect: 'containers do not reach the world outside this machine',
    fix: 'run the enclosing container with --sysctl net.ipv4.ip_forward=1',
  };
}

/** A firewall that drops what is to be forwarded: we add rules to it. */
function firewall(): Check {
  const common = { id: 'firewall', group: 'network' } as const;
  let chain: string | undefined;
  try {
    const dropping = listChains()?.find(({ dropsForwarded }) => dropsForwarded);
    chain = dropping && `${dropping.table}/${dropping.name}`;
  } catch (error) {
    if (!isErrno(error, 'EPERM')) throw error;
    return { ...common, status: 'ok', found: 'may not be looked at' };
  }
  if (chain === undefined) return { ...common, status: 'ok', found: 'drops nothing that is forwarded' };
  return { ...common, status: 'ok', found: `${chain} drops; rules are added while containers run` };
}
