import type { Check, Rung } from './check.ts';

/** Ubuntu's since 23.10: a user namespace can be made, but its root is powerless unless a profile of the program allows it. */
export const APPARMOR_RESTRICTION = 'kernel.apparmor_restrict_unprivileged_userns';

/** `restriction`: the value of {@link APPARMOR_RESTRICTION}; undefined where the kernel has none. */
export function apparmorCheck({
  restriction,
  rung,
  asRoot,
}: {
  restriction: string | undefined;
  rung: Rung;
  asRoot: (command: string) => string;
}): Check {
  const common = { id: 'apparmor', group: 'privileges' } as const;
  if (restriction !== '1') return { ...common, status: 'ok', found: 'does not restrict user namespaces' };
  if (rung === 'root')
    return { ...common, status: 'ok', found: "restricts the user namespaces of ordinary users, not root's" };
  return {
    ...common,
    status: 'lacking',
    found: 'restricts the user namespaces of ordinary users',
    effect: 'their root is powerless, unless a profile says that node may have more',
    fix: asRoot(`sysctl -w ${APPARMOR_RESTRICTION}=0`),
  };
}
