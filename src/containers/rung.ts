import { fstatSync } from 'node:fs';
import { launchDirectly, type WorkerLauncher } from '../files/launcher.ts';
import type { OpaqueAttribute } from '../files/request.ts';
import { detectHierarchies, type Hierarchies, UNDELEGATED } from '../kernel/cgroups/hierarchies.ts';
import { closeDescriptor } from '../kernel/ffi/descriptor.ts';
import type { ShimBinary } from '../kernel/program/shim-binary.ts';
import { launchInUserNamespace } from '../runtime/launch/worker-launcher.ts';
import type { IdSpec } from '../runtime/spec/container-spec.ts';
import { countIds, mapOwnIds, ownIdMaps } from '../runtime/userns/own-ids.ts';
import { makeUserNamespace, ownerOf } from '../runtime/userns/user-namespace.ts';

/**
 * What this process may do, and what that makes of containers. Root and an ordinary user differ here, and in what the
 * compiler makes of `ids` (runtime/compile/ground.ts), and nowhere else.
 */
export interface Rung {
  readonly name: 'root' | 'rootless';
  /** @throws MayflyError `host.no-subordinate-ids` */
  ids(): IdSpec;
  /**
   * The user namespace that programs enter first; undefined for root. This process keeps it. It is made when it is first
   * needed, unless there is one already that owns `network`, a descriptor: all containers of a network have to be in one.
   *
   * @throws MayflyError `host.no-subordinate-ids`, `host.no-newuidmap`, `host.userns-refused`
   */
  userns(network?: number): number | undefined;
  readonly launcher: WorkerLauncher;
  readonly opaque: OpaqueAttribute;
  readonly hierarchies: Hierarchies;
  /** Containers are reached at their own addresses; otherwise through published ports only. */
  readonly reachesContainers: boolean;
}

export function openRung(binary: ShimBinary): Rung {
  return process.geteuid!() === 0 ? root() : rootless(binary);
}

function root(): Rung {
  return {
    name: 'root',
    ids: () => ({ kind: 'host' }),
    userns: () => undefined,
    launcher: launchDirectly,
    opaque: 'trusted.overlay.opaque',
    hierarchies: detectHierarchies(),
    reachesContainers: true,
  };
}

function rootless(binary: ShimBinary): Rung {
  let fd: number | undefined;
  const userns = (network?: number) => {
    if (network !== undefined) {
      const owner = ownerOf(network);
      // Somebody may be about to pass on the one that we have.
      if (fd !== undefined && isSame(fd, owner)) closeDescriptor(owner);
      else {
        if (fd !== undefined) closeDescriptor(fd);
        fd = owner;
      }
    }
    if (fd === undefined) {
      const maps = ownIdMaps();
      fd = makeUserNamespace(binary, (pid) => mapOwnIds(pid, maps));
    }
    return fd;
  };
  return {
    name: 'rootless',
    ids: () => ({ kind: 'user', count: countIds(ownIdMaps()) }),
    userns,
    launcher: launchInUserNamespace(binary, () => ({ fd: userns(), [Symbol.dispose]: () => {} })),
    opaque: 'user.overlay.opaque',
    hierarchies: UNDELEGATED,
    reachesContainers: false,
  };
}

/** Namespaces are told apart by their inodes (namespaces(7)). */
const isSame = (a: number, b: number): boolean => fstatSync(a).ino === fstatSync(b).ino;
