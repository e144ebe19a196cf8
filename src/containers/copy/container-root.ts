import { closeSync, openSync } from 'node:fs';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { O } from '../../kernel/mounts/flags.ts';
import { identifyProcess } from '../../kernel/processes/process-identity.ts';
import { isAlive } from '../../runtime/state/container-store.ts';
import { endedError } from '../container-error.ts';
import type { ContainerParts } from '../container-parts.ts';
import { collectEvidence } from '../evidence.ts';
import { requireRunning } from '../running.ts';
import type { CopyTarget } from './copy-target.ts';

/** A container as copies see it, whoever has started it. */
export function copyTargetOf(parts: ContainerParts): CopyTarget {
  const openRoot = async (): Promise<number> => {
    await requireRunning(parts, 'copying files');
    const root = openRootOf(parts);
    if (root !== undefined) return root;
    // The news of its end are on their way to us.
    const exit = await parts.run.exited;
    throw endedError({ ...(await collectEvidence(parts)), exit }, 'copying files');
  };
  return { name: parts.record.name, openRoot };
}

/**
 * The root directory of the container's init; undefined when that has ended.
 *
 * Its number may be another process's by then, but a child of the shim it is only while it is init.
 */
function openRootOf({ engine, record, run: { pid } }: ContainerParts): number | undefined {
  let root: number;
  try {
    root = openSync(`/proc/${pid}/root`, O.O_PATH | O.O_DIRECTORY | O.O_CLOEXEC);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES')) return undefined;
    throw error;
  }
  if (identifyProcess(pid)?.parent === record.shimPid && isAlive(engine.home, record.spec.id)) return root;
  closeSync(root);
  return undefined;
}
