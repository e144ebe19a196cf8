import type { Failure } from '../../kernel/probe/throwaway.ts';

/** `mount an overlay: EINVAL` */
export function describeFailure({ step, errno }: Failure): string {
  return `${step}: ${errno}`;
}
