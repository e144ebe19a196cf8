/** Runs so many tasks at once. The first failure ends it, once the others have come to their end through `signal`. */
export async function inParallel<T>(
  items: readonly T[],
  {
    limit,
    signal,
    task,
  }: {
    limit: number;
    signal?: AbortSignal | undefined;
    task: (item: T, signal: AbortSignal) => Promise<void>;
  },
): Promise<void> {
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const queue = items.values();
  let failure: unknown;
  const worker = async () => {
    for (const item of queue) {
      if (either.aborted) return;
      try {
        await task(item, either);
      } catch (error) {
        // What the others throw from here on is our own doing.
        if (!stop.signal.aborted) failure = error;
        stop.abort();
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  signal?.throwIfAborted();
  if (stop.signal.aborted) throw failure;
}
