import { flags, type SectionBuilder, struct } from '../program/builder.ts';
import type { OperandLike, Result } from '../program/instruction.ts';
import {
  AT,
  FSCONFIG,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  MOUNT_ATTR,
  MOVE_MOUNT,
  type MountAttribute,
  OPEN_TREE,
} from './flags.ts';

export interface NewMount {
  readonly type: string;
  /** File-system parameters; `true` is one without a value. Default: none. */
  readonly options?: Readonly<Record<string, string | true>>;
  readonly attributes?: readonly MountAttribute[];
  readonly tolerate?: readonly string[];
}

/** A new file system that is mounted nowhere yet (fsopen, fsconfig, fsmount). Result: its fd. */
export function newMount(section: SectionBuilder, mount: NewMount): Result {
  const { type, options = {}, attributes = [], tolerate = [] } = mount;
  const context = section.call('fsopen', [type, FSOPEN_CLOEXEC], {
    what: `open file system ${type}`,
    tolerate,
  });
  for (const [key, value] of Object.entries(options)) {
    const command = value === true ? 'FSCONFIG_SET_FLAG' : 'FSCONFIG_SET_STRING';
    section.call('fsconfig', [context, flags(FSCONFIG, command), key, value === true ? 0 : value, 0], {
      what: `set ${key} of ${type}`,
    });
  }
  // The verdict on a file system falls here; when it is a tolerated one, fsmount must not run: EINVAL then.
  section.call('fsconfig', [context, flags(FSCONFIG, 'FSCONFIG_CMD_CREATE'), 0, 0, 0], {
    what: `create file system ${type}`,
    tolerate,
  });
  return section.call('fsmount', [context, FSMOUNT_CLOEXEC, flags(MOUNT_ATTR, ...attributes)], {
    what: `mount ${type}`,
    tolerate: tolerate.length > 0 ? ['EINVAL', ...tolerate] : [],
  });
}

export interface TreeOptions {
  readonly recursive?: boolean;
  readonly tolerate?: readonly string[];
  readonly what?: string;
}

/** A detached copy of the mount tree at a path: the first half of a bind mount. Result: its fd. */
export function cloneTree(
  section: SectionBuilder,
  [directory, path]: readonly [OperandLike, string],
  { recursive = false, tolerate = [], what = `bind ${path}` }: TreeOptions = {},
): Result {
  const names: (keyof typeof OPEN_TREE)[] = ['OPEN_TREE_CLONE', 'OPEN_TREE_CLOEXEC'];
  if (recursive) names.push('AT_RECURSIVE');
  const word = flags({ ...OPEN_TREE, ...AT }, ...names, ...(path === '' ? (['AT_EMPTY_PATH'] as const) : []));
  return section.call('open_tree', [directory, path, word], { what, tolerate });
}

const MOUNT_ATTR_SIZE = 32;

/** Sets attributes on a mount, and with `recursive` on those below it. */
export function setAttributes(
  section: SectionBuilder,
  mount: OperandLike,
  { attributes, recursive = false }: { attributes: readonly MountAttribute[]; recursive?: boolean },
): void {
  const attr = struct([flags(MOUNT_ATTR, ...attributes), 0, 0, 0]);
  const word = recursive ? flags(AT, 'AT_EMPTY_PATH', 'AT_RECURSIVE') : flags(AT, 'AT_EMPTY_PATH');
  section.call('mount_setattr', [mount, '', word, attr, MOUNT_ATTR_SIZE], {
    what: `set ${attributes.join('|')}`,
  });
}

/**
 * Has a detached mount show other owners than there are on disk, by the maps of a user namespace (Linux 5.12; which file
 * systems can do it, mount_setattr(2) says).
 */
export function mapOwners(section: SectionBuilder, mount: OperandLike, userns: number): void {
  const attr = struct([flags(MOUNT_ATTR, 'MOUNT_ATTR_IDMAP'), 0, 0, userns]);
  section.call('mount_setattr', [mount, '', flags(AT, 'AT_EMPTY_PATH'), attr, MOUNT_ATTR_SIZE], {
    what: 'map the owners',
  });
}

/** Attaches a detached mount to what `target` refers to: by fd, so that no path can change in between. */
export function attach(
  section: SectionBuilder,
  [mount, target]: readonly [OperandLike, OperandLike],
  options: { what: string; tolerate?: readonly string[] },
): void {
  const word = flags(MOVE_MOUNT, 'MOVE_MOUNT_F_EMPTY_PATH', 'MOVE_MOUNT_T_EMPTY_PATH');
  section.call('move_mount', [mount, '', target, '', word], options);
}
