import { AT_FDCWD } from '../../kernel/mounts/flags.ts';
import { ensureDirectory, type InRoot } from '../../kernel/mounts/in-root.ts';
import { attach, cloneTree, newMount, setAttributes } from '../../kernel/mounts/mount.ts';
import { octal } from '../../kernel/program/builder.ts';
import type { Result } from '../../kernel/program/instruction.ts';
import type { CgroupMount } from '../spec/container-spec.ts';

const SAFE = ['MOUNT_ATTR_NOSUID', 'MOUNT_ATTR_NODEV', 'MOUNT_ATTR_NOEXEC'] as const;

/** A fresh /proc of this PID namespace. Result: its fd. A link at /proc in the image is refused (CVE-2019-19921). */
export function mountProc(tree: InRoot): Result {
  const proc = newMount(tree.section, { type: 'proc', attributes: SAFE });
  attach(tree.section, [proc, ensureDirectory(tree, 'proc', { refuseLinks: true })], {
    what: 'mount proc on "/proc"',
  });
  return proc;
}

/** A /sys, read-only as a rule. Result: its fd. */
export function mountSys(tree: InRoot, { writable }: { writable: boolean }): Result {
  const attributes = writable ? SAFE : ([...SAFE, 'MOUNT_ATTR_RDONLY'] as const);
  const sys = newMount(tree.section, { type: 'sysfs', attributes });
  attach(tree.section, [sys, ensureDirectory(tree, 'sys', { refuseLinks: true })], {
    what: 'mount sysfs on "/sys"',
  });
  return sys;
}

/** A read-only view of the host's /sys, all of it: an ordinary user may not take apart what is mounted there. Result: its fd. */
export function bindSys(tree: InRoot): Result {
  const sys = cloneTree(tree.section, [AT_FDCWD, '/sys'], { recursive: true, what: "bind the host's /sys" });
  setAttributes(tree.section, sys, { attributes: [...SAFE, 'MOUNT_ATTR_RDONLY'], recursive: true });
  attach(tree.section, [sys, ensureDirectory(tree, 'sys', { refuseLinks: true })], {
    what: 'mount sysfs on "/sys"',
  });
  return sys;
}

/**
 * The container's own cgroups, read-only as a rule, in the places where programs look for them: cgroup2 alone on /sys/fs/cgroup,
 * or one directory per v1 hierarchy on a tmpfs.
 */
export function mountCgroups(
  tree: InRoot,
  sys: Result,
  { mounts, writable }: { mounts: readonly CgroupMount[]; writable: boolean },
): void {
  const { section } = tree;
  const base = ensureDirectory({ section, root: sys }, 'fs/cgroup', { refuseLinks: true });
  const attributes = writable ? SAFE : ([...SAFE, 'MOUNT_ATTR_RDONLY'] as const);
  const unified = mounts.find((mount) => mount.name === '');
  if (unified !== undefined) {
    const mount = newMount(section, { type: unified.type, options: unified.options, attributes });
    attach(section, [mount, base], { what: 'mount cgroup2 on "/sys/fs/cgroup"' });
    return;
  }
  const top = newMount(section, { type: 'tmpfs', options: { mode: '755' }, attributes: SAFE });
  for (const { name } of mounts)
    section.call('mkdirat', [top, name, octal(0o755)], { what: `create /sys/fs/cgroup/${name}` });
  attach(section, [top, base], { what: 'mount tmpfs on "/sys/fs/cgroup"' });
  for (const { name, type, options } of mounts) {
    const mount = newMount(section, { type, options, attributes });
    const target = ensureDirectory({ section, root: top }, name);
    attach(section, [mount, target], { what: `mount ${type} on "/sys/fs/cgroup/${name}"` });
  }
  // Only now, because the directories for the hierarchies had to be made in it.
  setAttributes(section, top, { attributes: ['MOUNT_ATTR_RDONLY'] });
}
