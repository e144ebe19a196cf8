import type { ContainerRecord } from '../container-record.ts';

/**
 * Whether the next process tree of a container may begin while the present one is still there, as far as the network does not matter:
 * each has files of its own, and there is nothing else that both could change or take hold of.
 */
export function mayOverlap({ attachment, spec }: ContainerRecord): boolean {
  const { mounts, shared, devices, privileges } = spec;
  return (
    attachment.networkName !== 'host' &&
    !shared.ipc &&
    !shared.pid &&
    !privileges.privileged &&
    devices.length === 0 &&
    mounts.every((mount) => mount.type === 'tmpfs' || mount.readOnly)
  );
}
