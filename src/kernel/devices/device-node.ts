import { statSync } from 'node:fs';
import { MayflyError } from '../../support/error.ts';
import { type DeviceNumber, unpackDevice } from './device-number.ts';

/** A device of this host. */
export interface DeviceNode extends DeviceNumber {
  readonly type: 'block' | 'char';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** @throws MayflyError `container.not-a-device` for what is missing or is something else */
export function readDeviceNode(path: string): DeviceNode {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat?.isBlockDevice() && !stat?.isCharacterDevice()) {
    throw new MayflyError(
      'container.not-a-device',
      stat === undefined ? `there is no ${path}` : `${path} is not a device`,
      { hint: 'name a device node of the host, such as /dev/fuse' },
    );
  }
  return {
    type: stat.isBlockDevice() ? 'block' : 'char',
    ...unpackDevice(stat.rdev),
    mode: Number(stat.mode) & 0o777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
  };
}
