import { isMayflyError } from '../../support/error.ts';
import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';
import type { ExecOptions } from '../exec/exec.ts';
import { argv, env, path, text } from '../option-schemas.ts';
import { untilNothingIsWrong } from './attempts.ts';
import { checkWait, waitShape } from './check.ts';
import { DEFAULT_TIMEOUT, type WaitOptions, type WaitStrategy } from './strategy.ts';

export interface CommandWaitOptions extends WaitOptions, Pick<ExecOptions, 'user' | 'env' | 'cwd'> {
  /** Default: 0. */
  readonly exitCode?: number;
}

/** Each attempt is a process of its own, so they come less often than a look at a port. */
const PAUSES = { firstPause: 5, longestPause: 250 };

/**
 * Ready when a command in the container succeeds; it is repeated until then.
 *
 * A list is executed as it is; a string is given to the image's `/bin/sh -c`. A command that the image does not have ends the wait
 * at once, as `container.command-not-found`.
 */
export function forCommand(
  command: string | readonly string[],
  options: CommandWaitOptions = {},
): WaitStrategy {
  checkWait('forCommand', SHAPE, { command, ...options });
  const { timeout = DEFAULT_TIMEOUT, exitCode: wanted = 0, ...exec } = options;
  const words = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
  const shown = typeof command === 'string' ? command : command.join(' ');
  return {
    what: `${JSON.stringify(shown)} to exit with code ${wanted}`,
    timeout,
    ready: (target, signal) =>
      untilNothingIsWrong(
        async () => {
          try {
            const { exitCode, stdout, stderr } = await target.exec(words, { ...exec, signal });
            const said = (stderr.trim() || stdout.trim()).slice(-1000);
            return exitCode === wanted ? undefined : `it exited with code ${exitCode}${said && `: ${said}`}`;
          } catch (error) {
            if (isFinal(error)) throw error;
            return String((error as Error).message);
          }
        },
        { signal, ...PAUSES },
      ),
  };
}

/** What repeating does not mend. Anything else may come of the container's end, which is noticed elsewhere. */
function isFinal(error: unknown): boolean {
  return isMayflyError(error) && /^(option|container\.command)/.test(error.code);
}

const SHAPE = lazy(() => ({
  ...waitShape,
  command: z.union([text.check(z.minLength(1)), argv]),
  exitCode: z.optional(z.int().check(z.gte(0), z.lte(255))),
  user: z.optional(text),
  env: z.optional(env),
  cwd: z.optional(path),
}));
