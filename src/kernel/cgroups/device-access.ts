import { MayflyError } from '../../support/error.ts';
import { loadDeviceProgram } from '../bpf/load.ts';
import { compileDeviceProgram } from './device-program.ts';
import type { DeviceRule } from './device-rule.ts';
import type { Hierarchies } from './hierarchies.ts';

/** One of the two ways in which a cgroup restricts devices; goes into `createCgroup`. */
export type DeviceAccess =
  | { /** Open fd of a loaded program. */ readonly deviceProgram: number }
  | { readonly devices: readonly DeviceRule[] }
  /** Nothing to restrict: in an ordinary user's container only those devices can be opened that are bound into it (mknod(2), EPERM). */
  | Readonly<Record<string, never>>;

/**
 * Makes rules ready to be put in force: a BPF program where there is cgroup2, else rules for the devices controller.
 *
 * @throws MayflyError `cgroup.devices-unavailable` where the kernel has neither
 */
export function prepareDeviceAccess(
  { v1, v2, undelegated }: Hierarchies,
  rules: readonly DeviceRule[],
): DeviceAccess {
  if (undelegated) return {};
  let cause: unknown;
  if (v2 !== undefined) {
    try {
      return { deviceProgram: loadDeviceProgram(compileDeviceProgram(rules)) };
    } catch (error) {
      cause = error;
    }
  }
  if (v1.has('devices')) return { devices: rules };
  throw new MayflyError(
    'cgroup.devices-unavailable',
    'this host cannot restrict the devices of a container',
    {
      hint: 'it takes CAP_BPF and a kernel with CONFIG_CGROUP_BPF, or the devices controller of cgroup v1',
      cause,
    },
  );
}
