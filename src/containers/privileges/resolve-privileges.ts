import type { PrivilegeSpec } from '../../runtime/spec/privilege-spec.ts';
import { resolveCapabilities } from './capabilities.ts';
import type { PrivilegeOptions } from './privilege-options.ts';
import { resolveSecurityOpt } from './security-opt.ts';
import { resolveUlimits } from './ulimits.ts';

/**
 * What the options make of a container's privileges; refused before anything is made.
 *
 * @throws MayflyError `option.unknown-capability`, `option.unknown-security-opt`, `option.bad-seccomp-profile`,
 * `option.invalid`, `host.capability-missing`, `host.ulimit-too-high`
 */
export function resolvePrivileges(options: PrivilegeOptions): PrivilegeSpec {
  const { seccomp, noNewPrivileges } = resolveSecurityOpt(options.securityOpt);
  const privileged = options.privileged ?? false;
  return {
    privileged,
    capabilities: resolveCapabilities(options),
    // Docker's rule: a privileged container has a filter only if one was asked for.
    seccomp: seccomp ?? (privileged ? 'unconfined' : 'default'),
    noNewPrivileges,
    ulimits: resolveUlimits(options.ulimits),
  };
}

/** Those of one exec: the container's, or more. */
export function execPrivileges(own: PrivilegeSpec, { privileged }: { privileged: boolean }): PrivilegeSpec {
  return privileged
    ? { ...own, capabilities: resolveCapabilities({ privileged }), seccomp: 'unconfined' }
    : own;
}
