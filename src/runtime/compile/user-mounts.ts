import { AT_FDCWD } from '../../kernel/mounts/flags.ts';
import { ensureDirectory, ensureFile, type InRoot, openInRoot } from '../../kernel/mounts/in-root.ts';
import { attach, cloneTree, newMount, setAttributes } from '../../kernel/mounts/mount.ts';
import type { OperandLike, Result } from '../../kernel/program/instruction.ts';
import type { ContainerSpec, MountSpec } from '../spec/container-spec.ts';

/** Sources of binds, opened while the host's tree can still be seen. */
export type Sources = ReadonlyMap<string, Result>;

/**
 * Clones the sources of every bind. Runs before the rootfs is entered; the targets are resolved inside the rootfs
 * only, so a link planted in the image leads nowhere else (CVE-2021-30465).
 */
export function openSources({ section }: InRoot, spec: ContainerSpec): Sources {
  const sources = new Map<string, Result>();
  for (const mount of spec.mounts) {
    if (mount.type !== 'bind') continue;
    const tree = cloneTree(section, [AT_FDCWD, mount.source], {
      recursive: true,
      what: `bind ${mount.source}`,
    });
    if (mount.readOnly) setAttributes(section, tree, { attributes: ['MOUNT_ATTR_RDONLY'], recursive: true });
    sources.set(mount.target, tree);
  }
  for (const { source, target } of spec.files) {
    const tree = cloneTree(section, [AT_FDCWD, source]);
    if (spec.readOnly) setAttributes(section, tree, { attributes: ['MOUNT_ATTR_RDONLY'] });
    sources.set(target, tree);
  }
  return sources;
}

/**
 * Binds directories of the rootfs onto themselves, to be writable when the rootfs no longer is.
 *
 * One that an image has made a link into /proc or another mount stays what it is: a copy of that on top would uncover what is
 * hidden there.
 */
export function keepWritable(tree: InRoot, paths: readonly string[]): void {
  for (const path of paths) {
    ensureDirectory(tree, path);
    const place = openInRoot(tree, path, {
      flags: ['O_PATH', 'O_DIRECTORY'],
      refuseMounts: true,
      tolerate: ['EXDEV'],
    });
    const copy = cloneTree(tree.section, [place, ''], { what: `bind ${path}` });
    attach(tree.section, [copy, place], { what: `keep "${path}" writable` });
  }
}

/** Mounts what the user asked for, and the generated files of /etc where the user's mounts leave room for them. */
export function mountForUser(
  tree: InRoot,
  { spec, sources, isFile }: { spec: ContainerSpec; sources: Sources; isFile: (path: string) => boolean },
): void {
  const attachAt = (target: string, mount: Result, place: OperandLike) =>
    attach(tree.section, [mount, place], { what: `mount on "${target}"` });
  const own = new Set(spec.mounts.map((mount) => mount.target));
  for (const { target } of spec.files) {
    if (!own.has(target)) attachAt(target, sources.get(target)!, ensureFile(tree, target));
  }
  for (const mount of spec.mounts) {
    const file = mount.type === 'bind' && isFile(mount.source);
    const place = file ? ensureFile(tree, mount.target) : ensureDirectory(tree, mount.target);
    attachAt(mount.target, mount.type === 'bind' ? sources.get(mount.target)! : tmpfs(tree, mount), place);
  }
}

/** A user's tmpfs has Docker's defaults: no devices, no setuid, no programs. */
function tmpfs({ section }: InRoot, { size, mode = 0o1777 }: MountSpec & { type: 'tmpfs' }): Result {
  const options = { mode: mode.toString(8), ...(size === undefined ? {} : { size: String(size) }) };
  return newMount(section, {
    type: 'tmpfs',
    options,
    attributes: ['MOUNT_ATTR_NOSUID', 'MOUNT_ATTR_NODEV', 'MOUNT_ATTR_NOEXEC'],
  });
}
