import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readDeviceNode } from '../kernel/devices/device-node.ts';
import type { DeviceSpec } from '../runtime/spec/container-spec.ts';

/** Mounts of their own, which a container has of its own too. */
const NOT_NODES = new Set(['/dev/pts', '/dev/shm', '/dev/mqueue']);
/** Made for every container anyway. */
const USUAL = new Set(
  ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'ptmx', 'console'].map((name) => `/dev/${name}`),
);

/** Every device node below /dev of the host, for a privileged container. */
export function hostDevices(directory = '/dev'): DeviceSpec[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return NOT_NODES.has(path) ? [] : hostDevices(path);
    if (USUAL.has(path) || !(entry.isCharacterDevice() || entry.isBlockDevice())) return [];
    return [{ ...readDeviceNode(path), host: path, path, access: 'rwm' }];
  });
}
