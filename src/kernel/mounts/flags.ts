import type { Operand } from '../program/instruction.ts';

/** Flag words by name, from the uapi headers <linux/mount.h>, <linux/fcntl.h>, <linux/openat2.h>, <linux/sched.h>. */

/** For a directory operand: paths are relative to the working directory. */
export const AT_FDCWD: Operand = { kind: 'immediate', value: -100, text: 'AT_FDCWD' };

export const AT = {
  AT_EMPTY_PATH: 0x1000,
  AT_RECURSIVE: 0x8000,
  AT_REMOVEDIR: 0x200,
  AT_SYMLINK_NOFOLLOW: 0x100,
} as const;

/** Open flags of x86-64; the four that differ on arm64 are swapped there. */
export const O = {
  O_RDONLY: 0,
  O_WRONLY: 0o1,
  O_RDWR: 0o2,
  O_CREAT: 0o100,
  O_NOCTTY: 0o400,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_DIRECTORY: process.arch === 'arm64' ? 0o40000 : 0o200000,
  O_NOFOLLOW: process.arch === 'arm64' ? 0o100000 : 0o400000,
  O_CLOEXEC: 0o2000000,
  O_PATH: 0o10000000,
} as const;

export const RESOLVE = {
  RESOLVE_NO_XDEV: 0x1,
  RESOLVE_NO_MAGICLINKS: 0x2,
  RESOLVE_NO_SYMLINKS: 0x4,
  RESOLVE_IN_ROOT: 0x10,
} as const;

export const MS = { MS_RDONLY: 0x1, MS_REC: 0x4000, MS_PRIVATE: 0x40000 } as const;

export const MNT_DETACH = 0x2;

export const MOUNT_ATTR = {
  MOUNT_ATTR_RDONLY: 0x1,
  MOUNT_ATTR_NOSUID: 0x2,
  MOUNT_ATTR_NODEV: 0x4,
  MOUNT_ATTR_NOEXEC: 0x8,
  MOUNT_ATTR_STRICTATIME: 0x20,
  MOUNT_ATTR_IDMAP: 0x100000,
} as const;

export type MountAttribute = keyof typeof MOUNT_ATTR;

export const FSCONFIG = { FSCONFIG_SET_FLAG: 0, FSCONFIG_SET_STRING: 1, FSCONFIG_CMD_CREATE: 6 } as const;

export const OPEN_TREE = {
  OPEN_TREE_CLONE: 0x1,
  OPEN_TREE_CLOEXEC: 0o2000000,
  AT_RECURSIVE: 0x8000,
} as const;

export const MOVE_MOUNT = { MOVE_MOUNT_F_EMPTY_PATH: 0x4, MOVE_MOUNT_T_EMPTY_PATH: 0x40 } as const;

export const FSOPEN_CLOEXEC = 1;
export const FSMOUNT_CLOEXEC = 1;

export const CLONE = {
  CLONE_NEWTIME: 0x80,
  CLONE_NEWNS: 0x20000,
  CLONE_NEWCGROUP: 0x2000000,
  CLONE_NEWUTS: 0x4000000,
  CLONE_NEWIPC: 0x8000000,
  CLONE_NEWUSER: 0x10000000,
  CLONE_NEWPID: 0x20000000,
  CLONE_NEWNET: 0x40000000,
} as const;

export type NamespaceFlag = keyof typeof CLONE;
