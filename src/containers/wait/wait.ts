import { setTimeout as delay } from 'node:timers/promises';
import { parseDuration } from '../../support/duration.ts';
import { ContainerError, type ContainerExit, endedError } from '../container-error.ts';
import { forAll, forAny } from './all-any.ts';
import { attend } from './attend.ts';
import { forCommand } from './command.ts';
import { forExit } from './exit.ts';
import { forHealthCheck } from './health-check.ts';
import { forHttp } from './http.ts';
import { forListeningPorts } from './listening-ports.ts';
import { forLogMessage } from './log-message.ts';
import { NotReadyError, type WaitStrategy, type WaitTarget } from './strategy.ts';

/** Ways to tell that a container is ready, for the option `waitFor`. Each has a deadline of its own. */
export const Wait = {
  forListeningPorts,
  forLogMessage,
  forHttp,
  forCommand,
  forHealthCheck,
  forExit,
  forAll,
  forAny,
} as const;

/** How long a strategy may take to give up, in milliseconds, so that it can say what was wrong last. */
const LAST_WORDS = 100;

/**
 * Waits until the container is ready.
 *
 * @throws ContainerError `wait.timeout` at the deadline; `container.exited` or `container.out-of-memory` as soon as the
 * container ends; `container.unhealthy`; the signal's reason when it aborts.
 */
export async function waitUntilReady(
  strategy: WaitStrategy,
  target: WaitTarget,
  { signal }: { signal: AbortSignal | undefined },
): Promise<void> {
  const total = parseDuration(strategy.timeout);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), total);
  const forward = () => stop.abort();
  let exit: ContainerExit | undefined;
  target.exited.then((how) => {
    exit = how;
  });
  signal?.addEventListener('abort', forward, { once: true });
  try {
    signal?.throwIfAborted();
    await Promise.race([attend(strategy, { target, signal: stop.signal }), cutOff(stop.signal)]);
  } catch (error) {
    signal?.throwIfAborted();
    if (exit !== undefined)
      throw endedError({ ...(await target.evidence()), exit }, `waiting for ${strategy.what}`);
    if (!stop.signal.aborted) throw error;
    const last = error instanceof NotReadyError ? `; ${error.message}` : '';
    throw new ContainerError(
      'wait.timeout',
      `${target.name}: waited ${total} ms for ${strategy.what}${last}`,
      {
        evidence: await target.evidence(),
        cause: error,
        hint: 'its last log lines may say why; a longer time can be given as { timeout }',
      },
    );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', forward);
    stop.abort();
  }
}

/** Rejects a while after the signal has aborted: a strategy that does not heed it is left behind. */
function cutOff(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener(
      'abort',
      () => delay(LAST_WORDS, undefined, { ref: false }).then(() => reject(signal.reason)),
      { once: true },
    );
  });
}
