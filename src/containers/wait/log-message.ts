import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';
import { checkWait, waitShape } from './check.ts';
import { DEFAULT_TIMEOUT, NotReadyError, type WaitOptions, type WaitStrategy } from './strategy.ts';

export interface LogMessageOptions extends WaitOptions {
  /** How many lines have to match. Default: 1. */
  readonly times?: number;
}

/**
 * Ready when a line of the log contains the text, or matches the expression.
 *
 * Both streams count, from the container's start on, and a container that has ended meanwhile has still written what it wrote.
 */
export function forLogMessage(message: string | RegExp, options: LogMessageOptions = {}): WaitStrategy {
  checkWait('forLogMessage', SHAPE, { message, ...options });
  const { timeout = DEFAULT_TIMEOUT, times = 1 } = options;
  // A global expression remembers where it stopped, which is of no use from line to line.
  const expression =
    message instanceof RegExp ? new RegExp(message.source, message.flags.replace(/[gy]/g, '')) : message;
  const matches = (text: string) =>
    typeof expression === 'string' ? text.includes(expression) : expression.test(text);
  return {
    what: `${times === 1 ? 'a line' : `${times} lines`} with ${message instanceof RegExp ? message : JSON.stringify(message)} in the log`,
    timeout,
    outlivesContainer: true,
    async ready(target, signal) {
      let seen = 0;
      for await (const { text } of target.logs({ follow: true, signal })) {
        if (matches(text)) seen += 1;
        if (seen === times) return;
      }
      throw new NotReadyError(seen === 0 ? 'there was none' : `there were ${seen}`);
    },
  };
}

const SHAPE = lazy(() => ({
  ...waitShape,
  message: z.union([z.string(), z.instanceof(RegExp)]),
  times: z.optional(z.int().check(z.positive())),
}));
