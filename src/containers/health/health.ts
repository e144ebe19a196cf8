import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { isMayflyError } from '../../support/error.ts';
import type { ExecResult } from '../exec/exec.ts';
import type { HealthCheck } from './health-check.ts';
import { afterProbe, type HealthStatus, initialHealth, type ProbeResult } from './health-state.ts';

const MOST_OUTPUT = 4096;
const FIRST_PAUSE = 10;
const GROWTH = 1.5;

interface Watched {
  readonly check: HealthCheck;
  readonly startedAt: Date;
  /** Resolves when the container has ended, and the check with it. */
  readonly exited: Promise<unknown>;
  /** Runs a command in the container, without keeping the event loop alive. */
  readonly exec: (
    argv: readonly string[],
    options: { timeout: number; maxOutput: number; signal: AbortSignal },
  ) => Promise<ExecResult>;
}

/**
 * What the health check of a container says, from its start to its end. Emits `change` with the new status.
 *
 * The probes are run by this process, whose event loop they do not keep alive.
 */
export class ContainerHealth extends EventEmitter<{ change: [HealthStatus] }> {
  readonly check: HealthCheck;
  #state: ReturnType<typeof initialHealth>;

  constructor(watched: Watched) {
    super();
    this.check = watched.check;
    this.#state = initialHealth(watched.startedAt);
    const over = new AbortController();
    watched.exited.then(() => over.abort());
    this.#watch(watched, over.signal);
  }

  get status(): HealthStatus {
    return this.#state.status;
  }

  /** Failures in a row that count. */
  get failingStreak(): number {
    return this.#state.failingStreak;
  }

  /** The last five results, oldest first. */
  get log(): readonly ProbeResult[] {
    return this.#state.log;
  }

  async #watch(watched: Watched, over: AbortSignal): Promise<void> {
    const { check, startedAt } = watched;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * GROWTH, check.startInterval, check.interval)) {
      const result = await runProbe(watched, over);
      // A probe that the container's end has cut off says nothing.
      if (over.aborted) return;
      if (result !== undefined) {
        const before = this.#state.status;
        this.#state = afterProbe(this.#state, { check, startedAt, result });
        if (this.#state.status !== before) this.emit('change', this.#state.status);
      }
      const length = this.#state.status === 'starting' ? pause : check.interval;
      await delay(length, undefined, { ref: false, signal: over }).catch(() => {});
      if (over.aborted) return;
    }
  }
}

/** Undefined while the container is paused, when nothing can be told. */
async function runProbe({ check, exec }: Watched, signal: AbortSignal): Promise<ProbeResult | undefined> {
  const start = new Date();
  const result = (exitCode: number, output: string) => ({
    start,
    end: new Date(),
    exitCode,
    output: Buffer.from(output).toString('utf8', 0, MOST_OUTPUT),
  });
  try {
    const options = { timeout: check.timeout, maxOutput: MOST_OUTPUT, signal };
    const { exitCode, stdout, stderr } = await exec(check.argv, options);
    return result(exitCode, stdout + stderr);
  } catch (error) {
    if (isMayflyError(error, 'container.paused')) return undefined;
    if (isMayflyError(error, 'exec.timeout'))
      return result(-1, `the probe took more than ${check.timeout} ms`);
    return result(-1, (error as Error).message);
  }
}
