import type { ContainerInspectInfo } from 'dockerode';
import type { PrivilegeSpec } from '../../runtime/spec/privilege-spec.ts';

/** As Docker's HostConfig has them; -1 stands for no limit. */
export function inspectPrivileges({
  privileged,
  ulimits,
}: PrivilegeSpec): Partial<ContainerInspectInfo['HostConfig']> {
  return {
    Privileged: privileged,
    Ulimits: ulimits.map(({ name, soft = -1, hard = -1 }) => ({ Name: name, Soft: soft, Hard: hard })),
  };
}
