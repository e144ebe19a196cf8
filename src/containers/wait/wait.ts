import { parseDuration } from '../../support/duration.ts';
import { ContainerError, type ContainerExit, type Evidence, endedError } from '../container-error.ts';
import { forListeningPorts } from './listening-ports.ts';
import { forLogMessage } from './log-message.ts';
import type { WaitStrategy, WaitTarget } from './strategy.ts';

/** Ways to tell that a container is ready, for the option `waitFor`. Each has a deadline of its own. */
export const Wait = { forListeningPorts, forLogMessage } as const;

export interface WaitContext {
  readonly exited: Promise<ContainerExit>;
  /** Collects the container's last log lines, for the error. */
  readonly evidence: (exit?: ContainerExit) => Promise<Evidence>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Waits until the container is ready.
 *
 * @throws ContainerError `wait.timeout` at the deadline; `container.exited` or `container.out-of-memory` as soon as the
 * container ends; the signal's reason when it aborts.
 */
export async function waitUntilReady(
  strategy: WaitStrategy,
  target: WaitTarget,
  context: WaitContext,
): Promise<void> {
  const { exited, evidence, signal } = context;
  const total = parseDuration(strategy.timeout);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), total);
  const forward = () => stop.abort();
  signal?.addEventListener('abort', forward, { once: true });
  try {
    signal?.throwIfAborted();
    const ready = strategy.ready(target, stop.signal).then(() => undefined);
    // When the container ends first, the strategy's own failure is beside the point.
    ready.catch(() => {});
    const exit = await Promise.race([ready, exited]);
    if (exit !== undefined)
      throw endedError({ ...(await evidence(exit)), exit }, `waiting for ${strategy.what}`);
  } catch (error) {
    signal?.throwIfAborted();
    if (!stop.signal.aborted || error instanceof ContainerError) throw error;
    throw new ContainerError('wait.timeout', `${target.name}: waited ${total} ms for ${strategy.what}`, {
      evidence: await evidence(),
      cause: error,
      hint: 'its last log lines may say why; a longer time can be given as { timeout }',
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', forward);
    stop.abort();
  }
}
