import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';
import { checkWait, waitShape } from './check.ts';
import { DEFAULT_TIMEOUT, NotReadyError, type WaitOptions, type WaitStrategy } from './strategy.ts';

export interface ExitOptions extends WaitOptions {
  /** Default: 0. Any other is the error `container.exited`. */
  readonly code?: number;
}

/** Ready when the container has done its work and ended: a migration, a generator of fixtures. */
export function forExit(options: ExitOptions = {}): WaitStrategy {
  checkWait('forExit', SHAPE, options);
  const { timeout = DEFAULT_TIMEOUT, code = 0 } = options;
  return {
    what: `it to exit with code ${code}`,
    timeout,
    outlivesContainer: true,
    ready: ({ exited }, signal) =>
      new Promise((resolve, reject) => {
        const giveUp = () => reject(new NotReadyError('it still runs'));
        signal.addEventListener('abort', giveUp, { once: true });
        exited.then(({ exitCode }) => {
          signal.removeEventListener('abort', giveUp);
          if (exitCode === code) resolve();
          else reject(new NotReadyError(`it exited with code ${exitCode}`));
        });
      }),
  };
}

const SHAPE = lazy(() => ({ ...waitShape, code: z.optional(z.int().check(z.gte(0), z.lte(255))) }));
