import { closeSync, openSync } from 'node:fs';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { O } from '../../kernel/mounts/flags.ts';
import { identifyProcess } from '../../kernel/processes/process-identity.ts';
import { isAlive } from '../../runtime/state/container-store.ts';
import { endedError } from '../container-error.ts';
import type { ContainerParts } from '../container-parts.ts';
import { collectEvidence } from '../evidence.ts';
import { innerPid } from '../inner-process.ts';
import { requireRunning } from '../running.ts';
import { workerLauncherOf } from '../user-namespace.ts';
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
  return { name: parts.record.name, openRoot, launcher: workerLauncherOf(parts) };
}

/**
 * The root directory of a process in the container's mount namespace; undefined when that has ended.
 *
 * Without our init, init itself has stayed on the host, so it is never that one's. Numbers may be other processes' by then, but a
 * chain of children from the shim down they are only while the container runs.
 */
function openRootOf(parts: ContainerParts): number | undefined {
  const { engine, record, run } = parts;
  let pid: number;
  let root: number;
  try {
    pid = innerPid(parts);
    root = openSync(`/proc/${pid}/root`, O.O_PATH | O.O_DIRECTORY | O.O_CLOEXEC);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES')) return undefined;
    throw error;
  }
  const chain = record.spec.init ? [pid, record.shimPid] : [pid, run.pid, record.shimPid];
  const whole = chain.slice(1).every((parent, i) => identifyProcess(chain[i]!)?.parent === parent);
  if (whole && isAlive(engine.home, record.spec.id)) return root;
  closeSync(root);
  return undefined;
}
