import { posix } from 'node:path';
import { AT_FDCWD, MNT_DETACH, MS, O } from '../../kernel/mounts/flags.ts';
import { attach, newMount } from '../../kernel/mounts/mount.ts';
import { FDS } from '../../kernel/program/abi.ts';
import { flags, octal, type SectionBuilder } from '../../kernel/program/builder.ts';
import type { Result } from '../../kernel/program/instruction.ts';
import type { RootfsSpec } from '../spec/container-spec.ts';
import { pin } from './host-file.ts';
import { overlayOptions } from './overlay-options.ts';

/**
 * The file system of limited size that the upper is to lie on. Where the shim makes it, others can reach it among the shim's
 * descriptors in /proc for as long as the container runs; then it goes, with what is in it.
 *
 * In memory, because that takes nothing of the host: project quotas are an option of the whole file system, which ext4 is seldom
 * mounted with, and an image file takes mkfs, loop devices and root.
 */
export function makeStorage(section: SectionBuilder, { storage, storageRoot }: RootfsSpec): void {
  if (storage === undefined) return;
  const mount = newMount(section, { type: 'tmpfs', options: { mode: '700', size: String(storage) } });
  pin(section, FDS.storage, mount);
  for (const [name, mode] of [
    ['upper', 0o755],
    ['work', 0o700],
  ] as const) {
    section.call('mkdirat', [FDS.storage, name, octal(mode)], { what: `create ${name} in the storage` });
  }
  if (storageRoot === undefined) return;
  const { mode, uid, gid } = storageRoot;
  // The owner first, because a change of it may take bits of the mode away.
  section.call('fchownat', [FDS.storage, 'upper', uid, gid, 0], { what: `give upper to ${uid}:${gid}` });
  section.call('fchmodat', [FDS.storage, 'upper', octal(mode)], { what: 'set the mode of upper' });
}

/** Attaches it, because before Linux 6.15 overlay takes no directory of a mount that is nowhere. Returns where the parts lie. */
function attachStorage(section: SectionBuilder, place: string): { upper: string; work: string } {
  const target = section.call(
    'openat',
    [AT_FDCWD, place, flags(O, 'O_PATH', 'O_DIRECTORY', 'O_CLOEXEC'), 0],
    {
      what: 'open the place of the storage',
    },
  );
  attach(section, [FDS.storage, target], { what: 'mount the storage' });
  return { upper: `${place}/upper`, work: `${place}/work` };
}

export interface MountRootfsOptions {
  /** More options of overlay. Default: none. */
  readonly options?: readonly string[];
  /** Called with the directories that overlay is about to be given, relative to the working directory. */
  readonly prepare?: ((directories: readonly string[]) => void) | undefined;
}

/**
 * Mounts the layers and the upper as one tree. Result: an fd of its root.
 *
 * @throws MayflyError `container.too-many-layers`
 */
export function mountRootfs(
  section: SectionBuilder,
  { directory, layers: given, target, storage, ...onDisk }: RootfsSpec,
  { options = [], prepare }: MountRootfsOptions = {},
): Result {
  // Before anything is mounted, because a shared propagation would carry our mounts into the host.
  section.call('mount', ['none', '/', 0, flags(MS, 'MS_REC', 'MS_PRIVATE'), 0], {
    what: 'make every mount private',
  });
  section.call('chdir', [directory], { what: 'enter the directory of layers' });
  const { upper, work } = storage === undefined ? onDisk : attachStorage(section, onDisk.upper);
  // Overlay takes none twice (ELOOP), and of two that are the same the upper one decides: empty ones are often there twice.
  const layers = given.filter((layer, at) => given.lastIndexOf(layer) === at);
  prepare?.([...layers, posix.dirname(upper)]);
  const data = overlayOptions({ layers, upper, work }, options);
  section.call('mount', ['overlay', target, 'overlay', 0, data], {
    what: `mount overlay of ${layers.length} layers`,
  });
  return section.call('openat', [AT_FDCWD, target, flags(O, 'O_PATH', 'O_DIRECTORY', 'O_CLOEXEC'), 0], {
    what: 'open the rootfs',
  });
}

/** Makes the tree the root of this mount namespace and drops the host's. */
export function enterRootfs(section: SectionBuilder, root: Result): void {
  section.call('fchdir', [root], { what: 'enter the rootfs' });
  // Old and new root in one place: no directory for the old one is needed in the image (pivot_root(2), notes).
  section.call('pivot_root', ['.', '.'], { what: 'make the rootfs the root' });
  section.call('umount2', ['.', MNT_DETACH], { what: "drop the host's mounts" });
  section.call('chdir', ['/'], { what: 'enter the new root' });
}
