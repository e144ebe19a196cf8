import { flags, octal, type SectionBuilder, struct } from '../program/builder.ts';
import type { OperandLike, Result } from '../program/instruction.ts';
import { O, RESOLVE } from './flags.ts';

/**
 * The one way in which a path inside a tree that an image controls is resolved: relative to an fd of its root, with
 * symbolic links and `..` unable to leave it, and without the magic links of /proc.
 */
export interface InRoot {
  readonly section: SectionBuilder;
  /** Open directory that is the root of the tree. */
  readonly root: OperandLike;
}

const OPEN_HOW_SIZE = 24;

export interface OpenOptions {
  readonly flags: readonly (keyof typeof O)[];
  /** Refuse symbolic links altogether: a link at /proc or /dev is an attack, at /var/run it is a habit. */
  readonly refuseLinks?: boolean;
  /** Stay on the mount that `root` is on: what somebody has mounted on the way is an error, EXDEV. */
  readonly refuseMounts?: boolean;
  readonly mode?: number;
  readonly tolerate?: readonly string[];
  readonly what?: string;
}

/** openat2(2) with RESOLVE_IN_ROOT. Result: an fd. */
export function openInRoot({ section, root }: InRoot, path: string, options: OpenOptions): Result {
  const resolve: (keyof typeof RESOLVE)[] = ['RESOLVE_IN_ROOT', 'RESOLVE_NO_MAGICLINKS'];
  if (options.refuseLinks) resolve.push('RESOLVE_NO_SYMLINKS');
  if (options.refuseMounts) resolve.push('RESOLVE_NO_XDEV');
  const how = struct([
    flags(O, ...options.flags, 'O_CLOEXEC'),
    octal(options.mode ?? 0),
    flags(RESOLVE, ...resolve),
  ]);
  return section.call('openat2', [root, path, how, OPEN_HOW_SIZE], {
    what: options.what ?? `open "${path}" in the rootfs`,
    tolerate: options.tolerate ?? [],
  });
}

/** Opens a directory, creating it and its parents where they are missing. Result: an O_PATH fd. */
export function ensureDirectory(tree: InRoot, path: string, options: { refuseLinks?: boolean } = {}): Result {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  let parent = tree.root;
  let directory: Result | undefined;
  parts.forEach((part, i) => {
    const prefix = parts.slice(0, i + 1).join('/');
    tree.section.call('mkdirat', [parent, part, octal(0o755)], {
      what: `create "/${prefix}"`,
      tolerate: ['EEXIST', 'EROFS'],
    });
    directory = openInRoot(tree, prefix, { flags: ['O_PATH', 'O_DIRECTORY'], ...options });
    parent = directory;
  });
  return directory ?? openInRoot(tree, '/', { flags: ['O_PATH', 'O_DIRECTORY'] });
}

/** Opens a file to mount over, creating it empty, and its parents, where they are missing. Result: an O_PATH fd. */
export function ensureFile(tree: InRoot, path: string): Result {
  const parent = path.slice(0, path.lastIndexOf('/'));
  if (parent !== '') ensureDirectory(tree, parent);
  openInRoot(tree, path, {
    flags: ['O_RDONLY', 'O_CREAT'],
    mode: 0o644,
    what: `create "${path}"`,
    // A read-only or unusual file is fine as long as the next call finds it.
    tolerate: ['EROFS', 'ENXIO', 'ENODEV'],
  });
  return openInRoot(tree, path, { flags: ['O_PATH'] });
}
