import { AT_FDCWD, O } from '../../kernel/mounts/flags.ts';
import { attach, cloneTree, mapOwners } from '../../kernel/mounts/mount.ts';
import { FDS } from '../../kernel/program/abi.ts';
import { flags, type SectionBuilder } from '../../kernel/program/builder.ts';
import type { ProcessSpec } from '../spec/container-spec.ts';
import { enterUserNamespace } from './user-namespace.ts';

// <linux/prctl.h>, <linux/securebits.h>
const PR = { PR_SET_SECUREBITS: 28 } as const;
const SECUREBITS = { SECBIT_NO_SETUID_FIXUP: 4 } as const;

/**
 * From here on, what the process makes belongs to the container's root, although it has all the rights of the host's:
 * setfsuid(2) would take those of files, were it not for the bit (capabilities(7)). A kernel that mounts overlay remembers
 * both, and acts as that in the upper directory.
 */
export function makeAsContainerRoot(section: SectionBuilder, base: number): void {
  section.call(
    'prctl',
    [flags(PR, 'PR_SET_SECUREBITS'), flags(SECUREBITS, 'SECBIT_NO_SETUID_FIXUP'), 0, 0, 0],
    {
      what: 'keep the capabilities',
    },
  );
  section.call('setfsgid', [base], { what: `make files of group ${base}` });
  section.call('setfsuid', [base], { what: `make files of user ${base}` });
}

/**
 * Binds directories over themselves with owners that are the container's: 0 on disk is the container's root and stays 0 on
 * disk. In this mount namespace only. For overlay, which takes layers of such mounts since Linux 5.19.
 */
export function mapOwnersInPlace(section: SectionBuilder, paths: readonly string[]): void {
  // Each once: what is mapped cannot be mapped again.
  for (const path of new Set(paths)) {
    const mount = cloneTree(section, [AT_FDCWD, path]);
    mapOwners(section, mount, FDS.userns);
    const target = section.call('openat', [AT_FDCWD, path, flags(O, 'O_PATH', 'O_CLOEXEC'), 0], {
      what: `open ${path}`,
    });
    attach(section, [mount, target], { what: `mount ${path} with the container's owners` });
  }
}

/** In the payload: the end of all rights outside of the container. */
export function becomeContainerRoot(
  section: SectionBuilder,
  { base, user, terminal }: { base: number } & Pick<ProcessSpec, 'user' | 'terminal'>,
): void {
  // Programs open /dev/stdout anew, which only its owner may. A terminal has got its owner already.
  const pipes = terminal === undefined ? (['stdout', 'stderr'] as const) : [];
  for (const name of pipes)
    section.call('fchown', [FDS[name], base + user.uid, base + user.gid], {
      what: `give ${name} to the container`,
    });
  enterUserNamespace(section);
  // The host's root is nobody in there.
  section.call('setresgid', [0, 0, 0], { what: "become the container's group 0" });
  section.call('setresuid', [0, 0, 0], { what: "become the container's root" });
}
