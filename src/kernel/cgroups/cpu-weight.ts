/** What cpu.weight takes (include/linux/cgroup.h, CGROUP_WEIGHT_MIN and CGROUP_WEIGHT_MAX). */
export const WEIGHT_RANGE = [1, 10_000] as const;
/** What cpu.shares takes (kernel/sched/sched.h, MIN_SHARES and MAX_SHARES). */
export const SHARES_RANGE = [2, 262_144] as const;

/**
 * v2's weight as v1's shares and back, as the kernel itself converts: 100 is 1024, and twice the one is twice the other
 * (kernel/sched/sched.h, sched_weight_from_cgroup and sched_weight_to_cgroup). So the proportion between two containers
 * is the same on every host. The few values beyond the other's range become its ends.
 */
export function weightToShares(weight: number): number {
  return clamp(Math.round((weight * 1024) / 100), SHARES_RANGE);
}

export function sharesToWeight(shares: number): number {
  return clamp(Math.round((shares * 100) / 1024), WEIGHT_RANGE);
}

function clamp(value: number, [least, most]: readonly [number, number]): number {
  return Math.min(Math.max(value, least), most);
}
