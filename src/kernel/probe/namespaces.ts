import { CLONE, type NamespaceFlag } from '../mounts/flags.ts';
import { newMount } from '../mounts/mount.ts';
import { flags, ProgramBuilder } from '../program/builder.ts';
import type { Program } from '../program/instruction.ts';
import { becomeNamespaceRoot, throwaway } from './throwaway.ts';

/** Whose rights a probe uses: an ordinary user's are those of the root of a user namespace of its own. */
export interface ProbeUser {
  readonly uid: number;
  readonly gid: number;
  /** In a user namespace of its own. */
  readonly apart: boolean;
}

const CONTAINER: readonly NamespaceFlag[] = [
  'CLONE_NEWNS',
  'CLONE_NEWPID',
  'CLONE_NEWNET',
  'CLONE_NEWIPC',
  'CLONE_NEWUTS',
  'CLONE_NEWCGROUP',
];

/** The namespaces of a container, and the file systems that show them; a /proc with covered parts forbids a new one. */
export function containerNamespaces(user: ProbeUser): Program {
  return throwaway(user.apart ? ['CLONE_NEWUSER', ...CONTAINER] : CONTAINER, (section) => {
    if (user.apart) becomeNamespaceRoot(section, user);
    for (const type of ['proc', 'sysfs', 'tmpfs', 'mqueue']) newMount(section, { type });
  });
}

/** A user namespace whose root may mount: AppArmor can let the first pass and forbid the second. */
export function userNamespace(user: ProbeUser): Program {
  return throwaway(['CLONE_NEWUSER', 'CLONE_NEWNS'], (section) => {
    becomeNamespaceRoot(section, user);
    newMount(section, { type: 'tmpfs' });
  });
}

/** Not among clone's flags, where its bit is part of the exit signal (<linux/sched.h>). */
const CLONE_NEWTIME = 0x80;

/** A time namespace (time_namespaces(7)). */
export function timeNamespace(user: ProbeUser): Program {
  return throwaway(user.apart ? ['CLONE_NEWUSER'] : [], (section) => {
    section.call('unshare', [CLONE_NEWTIME], { what: 'make a time namespace' });
  });
}

/** A process in a user namespace without a map, which stays until its shim is closed. */
export function pausedUserNamespace(): Program {
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const child = program.section('probe', 'init');
  shim.clone(child, flags(CLONE, 'CLONE_NEWUSER'), { what: 'make a user namespace' });
  return program.build();
}
