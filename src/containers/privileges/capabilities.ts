import { CAPABILITIES, type CapabilityName } from '../../kernel/capabilities.ts';
import { ownCapabilities } from '../../kernel/processes/own-capabilities.ts';
import { DEFAULT_CAPABILITIES } from '../../runtime/compile/capabilities.ts';
import { MayflyError } from '../../support/error.ts';
import type { PrivilegeOptions } from './privilege-options.ts';

/**
 * Docker's rules (moby daemon/pkg/oci/caps): everything dropped is taken from the default or from all, then what is added comes.
 *
 * @throws MayflyError `option.unknown-capability`; `host.capability-missing` for one that this process lacks itself
 */
export function resolveCapabilities({
  privileged,
  capAdd = [],
  capDrop = [],
}: PrivilegeOptions): CapabilityName[] {
  const add = capAdd.map(capabilityName);
  const drop = capDrop.map(capabilityName);
  if (!privileged && add.length === 0 && drop.length === 0) return [...DEFAULT_CAPABILITIES];
  const own = ownCapabilities();
  if (privileged) return own;
  const base = add.includes('ALL') ? own : DEFAULT_CAPABILITIES;
  const kept = drop.includes('ALL') ? [] : base.filter((name) => !drop.includes(name));
  const added = add.filter((name) => name !== 'ALL');
  const missing = added.filter((name) => !own.includes(name));
  if (missing.length > 0) {
    throw new MayflyError(
      'host.capability-missing',
      `this process does not have ${missing.join(', ')} itself`,
      {
        hint: 'start the tests with it, or leave it out of capAdd',
      },
    );
  }
  return [...new Set([...kept, ...added])];
}

function capabilityName(text: string): CapabilityName | 'ALL' {
  const name = text.toUpperCase();
  if (name === 'ALL' || name === 'CAP_ALL') return 'ALL';
  const full = name.startsWith('CAP_') ? name : `CAP_${name}`;
  if (Object.hasOwn(CAPABILITIES, full)) return full as CapabilityName;
  throw new MayflyError('option.unknown-capability', `no capability is called ${JSON.stringify(text)}`, {
    hint: 'see capabilities(7): SYS_PTRACE, NET_ADMIN and so on',
  });
}
