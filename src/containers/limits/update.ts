import { mergeLimits } from '../../kernel/cgroups/limits.ts';
import { MayflyError } from '../../support/error.ts';
import type { ContainerParts } from '../container-parts.ts';
import { requireRunning } from '../running.ts';
import { applyLimits, refreshRecord } from '../stats/counting.ts';
import { tell } from '../told/tell.ts';
import type { LimitChanges } from './limit-options.ts';
import { limitChanges } from './limit-schema.ts';
import { resolveLimits } from './resolve-limits.ts';

/**
 * Changes limits of a running container: all that are given, or none.
 *
 * @throws MayflyError `option.invalid`; those of a start with such limits; `container.exited`
 */
export async function updateLimits(parts: ContainerParts, changes: LimitChanges): Promise<void> {
  const { error } = limitChanges().safeParse(changes);
  if (error !== undefined) {
    const lines = error.issues.map((issue) => `${issue.path.join('.') || 'changes'}: ${issue.message}`);
    throw new MayflyError('option.invalid', `invalid limits\n  ${lines.join('\n  ')}`, { cause: error });
  }
  const resolved = resolveLimits(changes, parts.engine.home.containers);
  await requireRunning(parts, 'changing its limits');
  await applyLimits(parts, mergeLimits(refreshRecord(parts).spec.cgroup.limits, resolved));
  tell(parts, { action: 'update' });
}
