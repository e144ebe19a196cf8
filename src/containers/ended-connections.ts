import { setImmediate } from 'node:timers/promises';

/**
 * Resolves when this process has been told of the connections that ended before the call, so that a pool does not give one of them
 * to the next query.
 */
export async function noticeEndedConnections(): Promise<void> {
  // The event loop asks the kernel between the first two, as the first may come after it has asked in this turn; and it closes what
  // has ended between the last two.
  await setImmediate();
  await setImmediate();
  await setImmediate();
}
