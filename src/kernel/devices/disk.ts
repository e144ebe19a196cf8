import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MayflyError } from '../../support/error.ts';
import { unpackDevice } from './device-number.ts';

/**
 * The whole disk behind a path, as `major:minor`: of a block device or a partition itself, or of the file system that a
 * file lies on. Rates are kept for whole disks only.
 *
 * @throws MayflyError `cgroup.no-such-disk`
 */
export function findDisk(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) throw noDisk(path, 'there is no such file');
  const { major, minor } = unpackDevice(stat.isBlockDevice() ? stat.rdev : stat.dev);
  // 0 stands for file systems without a device of their own: btrfs, which has one below, and tmpfs, which has none.
  if (major === 0) {
    const source = sourceOf(realpathSync(path));
    if (!source.startsWith('/dev/')) throw noDisk(path, `it lies on ${source}`);
    return findDisk(source);
  }
  const entry = `/sys/dev/block/${major}:${minor}`;
  if (!existsSync(entry)) throw noDisk(path, `the kernel knows no disk ${major}:${minor}`);
  if (!existsSync(join(entry, 'partition'))) return `${major}:${minor}`;
  return readFileSync(join(dirname(realpathSync(entry)), 'dev'), 'latin1').trim();
}

/** The customary path of a disk: `8:0` -> `/dev/sda`. */
export function diskPath(disk: string): string {
  const uevent = `/sys/dev/block/${disk}/uevent`;
  const name = existsSync(uevent) && /^DEVNAME=(.+)$/m.exec(readFileSync(uevent, 'latin1'))?.[1];
  return `/dev/${name || `block/${disk}`}`;
}

/** What is mounted where a file lies: the last of the longest mount points above it (proc_pid_mountinfo(5)). */
function sourceOf(path: string): string {
  let best = { mount: '', source: 'nothing' };
  for (const line of readFileSync('/proc/self/mountinfo', 'latin1').trim().split('\n')) {
    const [before, after] = line.split(' - ');
    const mount = before!.split(' ')[4]!;
    const above = mount === '/' || path === mount || path.startsWith(`${mount}/`);
    if (above && mount.length >= best.mount.length) best = { mount, source: after!.split(' ')[1]! };
  }
  return best.source;
}

function noDisk(path: string, why: string): MayflyError {
  return new MayflyError('cgroup.no-such-disk', `${path} is on no disk: ${why}`, {
    hint: 'name a block device such as /dev/sda, or a file or directory on one',
  });
}
