import { readFileSync } from 'node:fs';
import { CAPABILITIES, type CapabilityName } from '../capabilities.ts';

/** What this process may do, from /proc/self/status (proc_pid_status(5)). */
export interface ProcessStatus {
  readonly capabilities: ReadonlySet<CapabilityName>;
  /** Programs that are executed gain nothing from setuid bits: neither newuidmap nor sudo works. */
  readonly noNewPrivileges: boolean;
  /** A filter that somebody put on this process decides which system calls it may make. */
  readonly seccompFilter: boolean;
}

export function readProcessStatus(text = readFileSync('/proc/self/status', 'latin1')): ProcessStatus {
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(text)?.[1] ?? '0';
  const mask = BigInt(`0x${field('CapEff')}`);
  const names = Object.keys(CAPABILITIES) as CapabilityName[];
  return {
    capabilities: new Set(names.filter((name) => (mask >> BigInt(CAPABILITIES[name])) & 1n)),
    noNewPrivileges: field('NoNewPrivs') === '1',
    seccompFilter: field('Seccomp') === '2',
  };
}
