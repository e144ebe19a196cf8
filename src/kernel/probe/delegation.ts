import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mayWrite, readIfThere } from './kernel-file.ts';

/** A part of the cgroup2 tree that this user may make cgroups in. */
export interface Delegation {
  /** Path below the mount. */
  readonly path: string;
  readonly controllers: readonly string[];
}

/**
 * What root has handed down to this user: the cgroup that the process is in, or that of the user's systemd (systemd.resource-control(5),
 * Delegate=; cgroup-v2.rst, "Delegation"). Undefined when it is nothing.
 *
 * `ownCgroup`: the text of /proc/self/cgroup.
 */
export function findDelegation(
  mount: string,
  { uid, ownCgroup }: { uid: number; ownCgroup: string },
): Delegation | undefined {
  const own = /^0::(\/.*)$/m.exec(ownCgroup)?.[1];
  const users = `/user.slice/user-${uid}.slice/user@${uid}.service`;
  for (const path of [...(own === undefined ? [] : [own]), users]) {
    const directory = join(mount, path);
    // Both are what a new cgroup, and a process in it, take.
    if (!existsSync(directory) || ![directory, join(directory, 'cgroup.procs')].every(mayWrite)) continue;
    const text = readIfThere(join(directory, 'cgroup.controllers')) ?? '';
    return { path, controllers: text.split(/\s+/).filter(Boolean) };
  }
  return undefined;
}
