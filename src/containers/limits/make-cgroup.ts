import { type Cgroup, createCgroup } from '../../kernel/cgroups/cgroup.ts';
import { prepareDeviceAccess } from '../../kernel/cgroups/device-access.ts';
import { EVERY_DEVICE } from '../../kernel/cgroups/device-rule.ts';
import type { CgroupRequest } from '../../kernel/cgroups/plan.ts';
import { closeDescriptor } from '../../kernel/ffi/descriptor.ts';
import type { DeviceSpec } from '../../runtime/spec/container-spec.ts';
import { deviceRules } from '../devices.ts';
import type { Engine } from '../engine.ts';

/** A container's cgroups, in which nothing but the usual devices and those given can be used. */
export function makeCgroup(
  engine: Engine,
  {
    devices,
    privileged,
    ...request
  }: Pick<CgroupRequest, 'id' | 'limits' | 'accounting'> & {
    readonly devices: readonly DeviceSpec[];
    /** All devices may be used. */
    readonly privileged: boolean;
  },
): Cgroup {
  const { hierarchies, deviceAccess, disk } = engine;
  // Most containers ask for none, and share one loaded program.
  const rules = privileged ? EVERY_DEVICE : deviceRules(devices);
  const own = !privileged && devices.length === 0 ? undefined : prepareDeviceAccess(hierarchies, rules);
  try {
    return createCgroup(hierarchies, { ...request, disk, ...(own ?? deviceAccess) });
  } finally {
    if (own !== undefined && 'deviceProgram' in own) closeDescriptor(own.deviceProgram);
  }
}
