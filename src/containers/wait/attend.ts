import type { WaitStrategy, WaitTarget } from './strategy.ts';

/** Follows a strategy, and the container beside it: rejects when that ends first, unless the strategy goes on by itself. */
export async function attend(
  strategy: WaitStrategy,
  { target, signal }: { target: WaitTarget; signal: AbortSignal },
): Promise<void> {
  const ready = strategy.ready(target, signal);
  if (strategy.outlivesContainer) return ready;
  // When the container ends first, the strategy's own failure is beside the point.
  ready.catch(() => {});
  const ended = target.exited.then(() => {
    throw new Error(`${target.name} has ended`);
  });
  return Promise.race([ready, ended]);
}
