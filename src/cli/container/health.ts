import type { ContainerOptions } from '../../containers/container-options.ts';
import type { OptionValues } from '../command.ts';
import type { CREATE_OPTIONS } from '../table/run-options.ts';
import { UsageError } from '../usage-error.ts';

type Given = Pick<
  OptionValues<typeof CREATE_OPTIONS>,
  | 'healthCmd'
  | 'healthInterval'
  | 'healthTimeout'
  | 'healthRetries'
  | 'healthStartPeriod'
  | 'healthStartInterval'
  | 'noHealthcheck'
>;

/** @throws UsageError */
export function healthOptions({ noHealthcheck, ...given }: Given): Pick<ContainerOptions, 'healthCheck'> {
  const all = {
    test: given.healthCmd,
    interval: given.healthInterval,
    timeout: given.healthTimeout,
    retries: given.healthRetries,
    startPeriod: given.healthStartPeriod,
    startInterval: given.healthStartInterval,
  };
  const healthCheck = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const some = Object.keys(healthCheck).length > 0;
  if (noHealthcheck && some)
    throw new UsageError('--no-healthcheck excludes the other options on health', 'leave one of them out');
  return noHealthcheck ? { healthCheck: false } : some ? { healthCheck } : {};
}
