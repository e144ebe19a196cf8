import type { Hierarchies } from './hierarchies.ts';

/** One mount below /sys/fs/cgroup in a container; `name` is empty where cgroup2 is all there is. */
export interface ShownHierarchy {
  readonly name: string;
  readonly type: 'cgroup' | 'cgroup2';
  readonly options: Readonly<Record<string, true>>;
}

/** The hierarchies that a container sees: the same as the host's, in the customary places. */
export function shownHierarchies({ v1, v2 }: Hierarchies): ShownHierarchy[] {
  const byMount = new Map<string, string[]>();
  for (const [controller, mount] of v1) byMount.set(mount, [...(byMount.get(mount) ?? []), controller]);
  const shown: ShownHierarchy[] = [...byMount.values()].map((controllers) => ({
    name: controllers.join(','),
    type: 'cgroup',
    options: Object.fromEntries(controllers.map((controller) => [controller, true])),
  }));
  if (v2 === undefined) return shown;
  return [...shown, { name: shown.length === 0 ? '' : 'unified', type: 'cgroup2', options: {} }];
}
