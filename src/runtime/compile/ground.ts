import type { IdSpec } from '../spec/container-spec.ts';

/**
 * On what ground a container stands: what a program has to do otherwise for an ordinary user than for root. The only place
 * in which the compiler tells them apart.
 */
export interface Ground {
  /** When a program enters the user namespace on fd `userns`: an ordinary user has rights nowhere else. */
  readonly enterUserns: 'never' | 'first' | 'last';
  /** In a user namespace nobody may make device nodes that work (mknod(2), EPERM), so the host's are bound. */
  readonly deviceNodes: 'made' | 'bound';
  /** `userxattr`: overlay keeps its marks in user.overlay.*, as trusted.* takes root of the host (overlayfs.rst). */
  readonly overlayOptions: readonly string[];
  /** A sysfs can be mounted only by who owns the network namespace, which on the host's network is not us. */
  readonly sysOnHostNetwork: 'mounted' | 'bound';
  /** Who makes a storage of limited size: the shim, which then holds it, has no right to mount outside of its user namespace. */
  readonly storageMaker: 'shim' | 'init';
  /** Largest group id that `ping_group_range` can name. */
  readonly lastGroup: number;
  /** What host ids the container's are counted from, where whoever writes them is outside of its user namespace. */
  readonly idBase: number;
}

const ROOT: Ground = {
  enterUserns: 'never',
  deviceNodes: 'made',
  overlayOptions: [],
  sysOnHostNetwork: 'mounted',
  storageMaker: 'shim',
  lastGroup: 2147483647,
  idBase: 0,
};

export function groundOf(ids: IdSpec): Ground {
  switch (ids.kind) {
    case 'host':
      return ROOT;
    case 'user':
      return {
        enterUserns: 'first',
        deviceNodes: 'bound',
        overlayOptions: ['userxattr'],
        sysOnHostNetwork: 'bound',
        storageMaker: 'init',
        lastGroup: ids.count - 1,
        idBase: 0,
      };
    case 'private':
      return { ...ROOT, enterUserns: 'last', idBase: ids.base };
  }
}
