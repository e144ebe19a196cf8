import { once } from 'node:events';
import { MayflyError } from '../../support/error.ts';
import { ContainerError } from '../container-error.ts';
import type { ContainerHealth } from '../health/health.ts';
import { checkWait, waitShape } from './check.ts';
import {
  DEFAULT_TIMEOUT,
  NotReadyError,
  type WaitOptions,
  type WaitStrategy,
  type WaitTarget,
} from './strategy.ts';

/**
 * Ready when the health check, of the image or of the option `healthCheck`, says `healthy`.
 *
 * A container that becomes unhealthy first is the error `container.unhealthy`; one without a check is `wait.no-health-check`.
 */
export function forHealthCheck(options: WaitOptions = {}): WaitStrategy {
  checkWait('forHealthCheck', () => waitShape, options);
  return {
    what: 'it to be healthy',
    timeout: options.timeout ?? DEFAULT_TIMEOUT,
    async ready(target, signal) {
      const health = target.health ?? noHealthCheck(target);
      while (health.status === 'starting') {
        await once(health, 'change', { signal }).catch(() => {
          throw new NotReadyError(lastProbe(health));
        });
      }
      if (health.status === 'healthy') return;
      throw new ContainerError('container.unhealthy', `${target.name} is unhealthy; ${lastProbe(health)}`, {
        evidence: await target.evidence(),
        hint: 'see what the probe says; more time can be given as healthCheck: { startPeriod }',
      });
    },
  };
}

function noHealthCheck({ name }: WaitTarget): never {
  throw new MayflyError('wait.no-health-check', `${name} has no health check to wait for`, {
    hint: "give it one with the option healthCheck: { test: '…' }; the image has none",
  });
}

function lastProbe({ log }: ContainerHealth): string {
  const last = log.at(-1);
  if (last === undefined) return 'no probe has ended yet';
  const said = last.output.trim();
  return `its last probe exited with code ${last.exitCode}${said && ` and said: ${said}`}`;
}
