import { SystemError } from '../kernel/ffi/system-error.ts';
import { isEnding } from '../kernel/processes/process-identity.ts';
import { ProgramError } from '../runtime/launch/program-error.ts';
import { endedError } from './container-error.ts';
import type { ContainerParts } from './container-parts.ts';
import { collectEvidence } from './evidence.ts';

/**
 * Nothing while the container runs.
 *
 * @param doing what is about to be done with it, for the error: `executing ls`
 * @throws ContainerError `container.exited`, `container.out-of-memory`
 */
export async function requireRunning(parts: ContainerParts, doing: string): Promise<void> {
  const { exit } = parts.run;
  if (exit !== undefined) throw endedError({ ...(await collectEvidence(parts)), exit }, doing);
}

/**
 * Does something in a container that runs. Whatever the kernel says of one that ends meanwhile, its end is what is told.
 *
 * @throws ContainerError as requireRunning does; whatever `act` does otherwise
 */
export async function whileRunning<T>(
  parts: ContainerParts,
  { doing, act }: { doing: string; act: () => Promise<T> },
): Promise<T> {
  await requireRunning(parts, doing);
  const { run } = parts;
  try {
    return await act();
  } catch (error) {
    if (!isOfKernel(error) || !isEnding(run.pid)) throw error;
    // The news of its end are on their way to us.
    run.supervision.ref();
    const exit = await run.exited;
    throw endedError({ ...(await collectEvidence(parts)), exit }, doing);
  }
}

function isOfKernel(error: unknown): boolean {
  const isOurs = error instanceof SystemError || error instanceof ProgramError;
  // Node's have a number, too.
  return isOurs || (error instanceof Error && 'syscall' in error);
}
