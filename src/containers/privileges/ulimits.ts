import { ownCapabilities } from '../../kernel/processes/own-capabilities.ts';
import { hardLimit, RESOURCES, type ResourceName } from '../../kernel/processes/resource-limits.ts';
import type { UlimitSpec } from '../../runtime/spec/privilege-spec.ts';
import { MayflyError } from '../../support/error.ts';
import type { UlimitOption } from './privilege-options.ts';

/** @throws MayflyError `option.invalid` for what is no limit; `host.ulimit-too-high` for what this process may not grant */
export function resolveUlimits(ulimits: Readonly<Record<string, UlimitOption>> = {}): UlimitSpec[] {
  return Object.entries(ulimits).map(([name, option]) => {
    if (!Object.hasOwn(RESOURCES, name))
      throw invalid(
        `no ulimit is called ${JSON.stringify(name)}`,
        `there are: ${Object.keys(RESOURCES).join(', ')}`,
      );
    const { soft, hard } = typeof option === 'number' ? { soft: option, hard: option } : option;
    for (const value of [soft, hard]) {
      if (!Number.isSafeInteger(value) || value < -1)
        throw invalid(`the ulimit ${name} cannot be ${value}`, 'give a whole number, or -1 for no limit');
    }
    const number = (value: number) => (value === -1 ? Number.POSITIVE_INFINITY : value);
    if (number(soft) > number(hard))
      throw invalid(`the soft ulimit ${name} (${soft}) is above the hard one (${hard})`, 'lower it');
    requireGrantable(name as ResourceName, number(hard));
    const bound = (value: number) => (value === -1 ? undefined : value);
    return { name, resource: RESOURCES[name as ResourceName], soft: bound(soft), hard: bound(hard) };
  });
}

function requireGrantable(name: ResourceName, hard: number): void {
  const own = hardLimit(name);
  if (hard <= own || ownCapabilities().includes('CAP_SYS_RESOURCE')) return;
  throw new MayflyError(
    'host.ulimit-too-high',
    `this process may not raise the ulimit ${name} above ${own}`,
    {
      hint: `ask for at most ${own}, or start the tests with a higher limit or CAP_SYS_RESOURCE`,
    },
  );
}

function invalid(what: string, hint: string): MayflyError {
  return new MayflyError('option.invalid', what, { hint });
}
