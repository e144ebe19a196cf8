import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The cgroup hierarchies that are mounted on this host, v1, v2 or both (hybrid). */
export interface Hierarchies {
  /** Where each v1 hierarchy is mounted, by controller; named hierarchies are left out. */
  readonly v1: ReadonlyMap<string, string>;
  readonly v2: { readonly mount: string; readonly controllers: ReadonlySet<string> } | undefined;
  /** What there is belongs to root, who has handed nothing down to this user. */
  readonly undelegated?: true;
}

/** For a user who may make no cgroups: containers go without. */
export const UNDELEGATED: Hierarchies = { v1: new Map(), v2: undefined, undelegated: true };

/** A v1 mount's super options that are not controllers. */
const NOT_CONTROLLERS = new Set([
  'rw',
  'ro',
  'xattr',
  'noprefix',
  'clone_children',
  'cpuset_v2_mode',
  'favordynmods',
  'seclabel',
]);

/** Reads the hierarchies off mountinfo (proc_pid_mountinfo(5)); the first mount of each counts. */
export function parseHierarchies(mountinfo: string, readControllers: (mount: string) => string): Hierarchies {
  const v1 = new Map<string, string>();
  let v2: Hierarchies['v2'];
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    const mount = before?.split(' ')[4]?.replace(/\\([0-7]{3})/g, unescapeOctal);
    const [type, , options] = after?.split(' ') ?? [];
    if (mount === undefined || options === undefined) continue;
    if (type === 'cgroup2')
      v2 ??= { mount, controllers: new Set(readControllers(mount).split(/\s+/).filter(Boolean)) };
    if (type !== 'cgroup') continue;
    for (const option of options.split(',')) {
      if (NOT_CONTROLLERS.has(option) || option.includes('=') || v1.has(option)) continue;
      v1.set(option, mount);
    }
  }
  return { v1, v2 };
}

/** Blanks and backslashes in paths are written as `\040`. */
function unescapeOctal(_: string, digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 8));
}

/** The hierarchies of this host. */
export function detectHierarchies(): Hierarchies {
  return parseHierarchies(readFileSync('/proc/self/mountinfo', 'utf8'), (mount) => {
    const path = join(mount, 'cgroup.controllers');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  });
}
