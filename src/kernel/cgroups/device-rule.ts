import type { Setting } from './controller.ts';

/** Devices that may be used; whatever no rule names is refused. */
export interface DeviceRule {
  readonly type: 'block' | 'char';
  /** Undefined: every number. */
  readonly major?: number;
  readonly minor?: number;
  /** Any of r (read), w (write), m (make the node). */
  readonly access: string;
}

const char = (major: number, minor?: number): DeviceRule => ({
  type: 'char',
  major,
  ...(minor === undefined ? {} : { minor }),
  access: 'rwm',
});

/**
 * What Docker and runc allow every container (runc libcontainer/specconv, AllowedDevices; moby daemon/pkg/oci), without
 * /dev/net/tun, which runc dropped in 1.2. Any node may be made, but only these can be opened.
 */
export const DEFAULT_DEVICE_RULES: readonly DeviceRule[] = [
  // null, zero, full, random, urandom, tty, console, ptmx and all pseudo terminals: kernel admin-guide/devices.txt.
  ...[3, 5, 7, 8, 9].map((minor) => char(1, minor)),
  ...[0, 1, 2].map((minor) => char(5, minor)),
  char(136),
  { type: 'char', access: 'm' },
  { type: 'block', access: 'm' },
];

/** The rules for the devices controller of v1 (cgroup-v1/devices.rst): nothing, then what is allowed. */
export function deviceSettings(rules: readonly DeviceRule[]): Setting[] {
  return [
    { file: 'devices.deny', value: 'a' },
    ...rules.map(({ type, major, minor, access }) => ({
      file: 'devices.allow',
      value: `${type === 'block' ? 'b' : 'c'} ${major ?? '*'}:${minor ?? '*'} ${access}`,
    })),
  ];
}

/** For who may do everything. */
export const EVERY_DEVICE: readonly DeviceRule[] = [
  { type: 'char', access: 'rwm' },
  { type: 'block', access: 'rwm' },
];
