/** Major and minor number of a device, as stat(2) packs them into st_dev and st_rdev (makedev(3)). */
export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

export function unpackDevice(packed: bigint): DeviceNumber {
  const major = ((packed >> 8n) & 0xfffn) | ((packed >> 32n) & ~0xfffn);
  const minor = (packed & 0xffn) | ((packed >> 12n) & 0xffff_ff00n);
  return { major: Number(major), minor: Number(minor) };
}

/** As mknod(2) takes it: 12 bits of major, 20 of minor (include/linux/kdev_t.h, new_encode_dev). */
export function packDevice({ major, minor }: DeviceNumber): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}
