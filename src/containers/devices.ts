import { normalize } from 'node:path';
import { DEFAULT_DEVICE_RULES, type DeviceRule } from '../kernel/cgroups/device-rule.ts';
import { readDeviceNode } from '../kernel/devices/device-node.ts';
import type { DeviceSpec } from '../runtime/spec/container-spec.ts';

/** A device of the host that the container gets, and may use whatever its capabilities. */
export interface DeviceOption {
  /** Device node of the host, such as `/dev/fuse`. */
  readonly host: string;
  /** Where the container has it. Default: the same path. */
  readonly container?: string;
  /** Any of r (read), w (write), m (make another node of it). Default: `rwm`. */
  readonly access?: string;
}

/**
 * The devices that were asked for, with the numbers, mode and owner that they have on the host.
 *
 * @throws MayflyError `container.not-a-device`
 */
export function resolveDevices(devices: readonly DeviceOption[] = []): DeviceSpec[] {
  return devices.map(({ host, container = host, access = 'rwm' }) => ({
    ...readDeviceNode(host),
    host,
    path: normalize(container),
    access,
  }));
}

/** What the container may use: Docker's default, and what was asked for. */
export function deviceRules(devices: readonly DeviceSpec[]): DeviceRule[] {
  return [
    ...DEFAULT_DEVICE_RULES,
    ...devices.map(({ type, major, minor, access }) => ({ type, major, minor, access })),
  ];
}
