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
