import { readFileSync, writeFileSync } from 'node:fs';
import { debugLog } from '../../support/debug.ts';
import { withCleanup } from '../../support/error.ts';
import type { Hierarchies } from './hierarchies.ts';
import { moveMembers } from './members.ts';
import { findPlaces } from './places.ts';
import { type CgroupRequest, planCgroup, type Write } from './plan.ts';
import { makeDirectory, writeSetting } from './write.ts';

const debug = debugLog('cgroup');

/**
 * Changes the limits of a running container, and has what it uses counted from then on where that was not so before.
 *
 * All or nothing: when the kernel refuses one setting, those before it get their old values back.
 *
 * @param request `limits`: all of them, changed and unchanged; `before`: those in force
 * @throws MayflyError as `createCgroup` does
 */
export async function updateCgroup(
  hierarchies: Hierarchies,
  request: Omit<CgroupRequest, 'accounting' | 'devices'>,
): Promise<void> {
  const plan = planCgroup(hierarchies, { ...request, accounting: true });
  for (const directory of plan.directories) makeDirectory(directory);
  const undo: (() => void)[] = [];
  try {
    for (const write of plan.writes) {
      const restore = rememberValue(write);
      writeSetting(write);
      undo.push(restore);
    }
  } catch (error) {
    throw await withCleanup(error, () => {
      for (const restore of undo.toReversed()) restore();
    });
  }
  // After the limits, so that nothing runs in a cgroup without them.
  await moveMembers(findPlaces(hierarchies, request.id), plan.joinFiles);
}

/** Files of several lines, such as io.max, and those that take words, such as cgroup.subtree_control, are left as written. */
function rememberValue({ path, value }: Write): () => void {
  if (typeof value !== 'string' || path.endsWith('subtree_control')) return () => {};
  let before: string;
  try {
    before = readFileSync(path, 'latin1').trim();
  } catch (error) {
    debug('%s cannot be read: %o', path, error);
    return () => {};
  }
  return before === '' || before.includes('\n') || before === value
    ? () => {}
    : () => writeFileSync(path, before, { flag: 'r+' });
}
