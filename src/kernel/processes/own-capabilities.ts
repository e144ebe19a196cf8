import { readFileSync } from 'node:fs';
import { CAPABILITIES, type CapabilityName } from '../capabilities.ts';

/** The capabilities that this process can hand to a child: permitted to it, and in its bounding set (capabilities(7)). */
export function ownCapabilities(): CapabilityName[] {
  const status = readFileSync('/proc/self/status', 'latin1');
  const mask = (field: string) =>
    BigInt(`0x${new RegExp(`^${field}:\\s+([0-9a-f]+)$`, 'm').exec(status)![1]}`);
  const own = mask('CapPrm') & mask('CapBnd');
  const names = Object.entries(CAPABILITIES) as [CapabilityName, number][];
  return names.filter(([, bit]) => (own >> BigInt(bit)) & 1n).map(([name]) => name);
}
