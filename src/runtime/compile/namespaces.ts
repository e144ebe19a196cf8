import { AT_FDCWD, CLONE, type NamespaceFlag } from '../../kernel/mounts/flags.ts';
import { cloneTree } from '../../kernel/mounts/mount.ts';
import { FDS } from '../../kernel/program/abi.ts';
import { flags, type SectionBuilder } from '../../kernel/program/builder.ts';
import type { Operand, Result } from '../../kernel/program/instruction.ts';
import type { ContainerSpec } from '../spec/container-spec.ts';
import { groundOf } from './ground.ts';
import { openHostFile } from './host-file.ts';

type Shared = Pick<ContainerSpec, 'shared'>;

/** The network namespace is not among them: the shim makes it, so as to fill it while init mounts. */
const OWN: readonly NamespaceFlag[] = ['CLONE_NEWNS', 'CLONE_NEWIPC', 'CLONE_NEWUTS'];

/** Flags for the clone of the process that prepares the container; `pid`: its PID namespace is made here, too. */
export function ownNamespaces({ shared }: Shared, { pid }: { pid: boolean }): Operand {
  const own = shared.ipc ? OWN.filter((name) => name !== 'CLONE_NEWIPC') : OWN;
  return flags(CLONE, ...(pid && !shared.pid ? (['CLONE_NEWPID'] as const) : []), ...own);
}

/**
 * In the shim, before clone: the PID and time namespaces, which a process enters only by being born (setns(2),
 * time_namespaces(7)). Result: the other container's /dev/shm, if that is shared.
 */
export function prepareNamespaces(
  shim: SectionBuilder,
  { shared, clockOffsets, ids }: Pick<ContainerSpec, 'shared' | 'clockOffsets' | 'ids'>,
): { shm: Result | undefined } {
  if (clockOffsets !== undefined) {
    shim.call('unshare', [flags(CLONE, 'CLONE_NEWTIME')], { what: 'make a time namespace' });
    const lines = `monotonic ${clockOffsets.monotonic} 0\nboottime ${clockOffsets.boottime} 0\n`;
    const file = openHostFile(shim, '/proc/self/timens_offsets', ['O_WRONLY']);
    shim.call('write', [file, lines, lines.length], { what: 'set the clocks' });
  }
  const shm = shared.ipc ? openSharedMemory(shim, ids) : undefined;
  if (shared.pid) {
    shim.call('setns', [FDS.sharedPid, flags(CLONE, 'CLONE_NEWPID')], {
      what: "enter the other container's PID namespace",
    });
  }
  return { shm };
}

/** A mount can be copied only by who is in its namespace, so the shim goes there and comes back. */
function openSharedMemory(shim: SectionBuilder, ids: ContainerSpec['ids']): Result {
  // An ordinary user may come back only to what belongs to his own user namespace.
  if (groundOf(ids).enterUserns === 'first')
    shim.call('unshare', [flags(CLONE, 'CLONE_NEWNS')], { what: 'make a mount namespace' });
  const own = openHostFile(shim, '/proc/self/ns/mnt', ['O_RDONLY']);
  const enter = (fd: Parameters<typeof shim.call>[1][number], what: string) =>
    shim.call('setns', [fd, flags(CLONE, 'CLONE_NEWNS')], { what });
  enter(FDS.sharedMounts, "enter the other container's mount namespace");
  const shm = cloneTree(shim, [AT_FDCWD, '/dev/shm'], { what: 'copy its /dev/shm' });
  enter(own, 'return to the host');
  return shm;
}

/** In the process that prepares the container. */
export function enterShared(section: SectionBuilder, { shared }: Shared): void {
  if (shared.ipc)
    section.call('setns', [FDS.sharedIpc, flags(CLONE, 'CLONE_NEWIPC')], {
      what: "enter the other container's IPC namespace",
    });
}
