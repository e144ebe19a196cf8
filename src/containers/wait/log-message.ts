import { DEFAULT_TIMEOUT, type WaitOptions, type WaitStrategy } from './strategy.ts';

/**
 * Ready when a line of the log contains the text, or matches the expression.
 *
 * Both streams count, from the container's start on. `times`: how many lines have to match; default 1.
 */
export function forLogMessage(
  message: string | RegExp,
  { timeout = DEFAULT_TIMEOUT, times = 1 }: WaitOptions & { times?: number } = {},
): WaitStrategy {
  // A global expression remembers where it stopped, which is of no use from line to line.
  const expression =
    message instanceof RegExp ? new RegExp(message.source, message.flags.replace(/[gy]/g, '')) : message;
  const matches = (text: string) =>
    typeof expression === 'string' ? text.includes(expression) : expression.test(text);
  return {
    what: `${times === 1 ? 'a line' : `${times} lines`} with ${message instanceof RegExp ? message : JSON.stringify(message)} in the log`,
    timeout,
    async ready(target, signal) {
      let seen = 0;
      for await (const { text } of target.logs({ follow: true, signal })) {
        if (matches(text)) seen += 1;
        if (seen === times) return;
      }
      // The log has ended without it: the container is dead, which the caller notices too.
      await new Promise<never>((_, reject) => {
        if (signal.aborted) reject(signal.reason);
        else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    },
  };
}
