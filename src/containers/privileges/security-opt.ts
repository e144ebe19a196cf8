import { readFileSync } from 'node:fs';
import { parseDockerProfile } from '../../runtime/compile/docker-profile.ts';
import type { SeccompChoice } from '../../runtime/compile/seccomp-filters.ts';
import { MayflyError } from '../../support/error.ts';

export interface SecurityChoice {
  /** Undefined: nothing was said. */
  readonly seccomp: SeccompChoice | undefined;
  readonly noNewPrivileges: boolean;
}

/**
 * Reads Docker's `--security-opt`, in both of its spellings: `key=value` and `key:value`.
 *
 * @throws MayflyError `option.unknown-security-opt`, `option.bad-seccomp-profile`
 */
export function resolveSecurityOpt(options: readonly string[] = []): SecurityChoice {
  let seccomp: SeccompChoice | undefined;
  let noNewPrivileges = false;
  for (const option of options) {
    const [, key, value] = /^([a-z-]+)(?:[=:](.*))?$/s.exec(option) ?? [];
    if (key === 'seccomp' && value) seccomp = seccompOf(value);
    else if (key === 'no-new-privileges' && ['true', 'false', undefined].includes(value))
      noNewPrivileges = value !== 'false';
    else throw unknown(option);
  }
  return { seccomp, noNewPrivileges };
}

function seccompOf(value: string): SeccompChoice {
  if (value === 'unconfined') return 'unconfined';
  if (value === 'builtin') return 'default';
  try {
    return parseDockerProfile(readFileSync(value, 'utf8'), value);
  } catch (cause) {
    if (cause instanceof MayflyError) throw cause;
    throw new MayflyError('option.bad-seccomp-profile', `the seccomp profile ${value} cannot be read`, {
      cause,
      hint: 'name a file, or unconfined',
    });
  }
}

function unknown(option: string): MayflyError {
  const what = /^(apparmor|label|systempaths|writable-cgroups)\b/.test(option)
    ? 'is not supported'
    : 'is unknown';
  return new MayflyError(
    'option.unknown-security-opt',
    `the security option ${JSON.stringify(option)} ${what}`,
    {
      hint: 'there are: seccomp=unconfined, seccomp=builtin, seccomp=<file>, no-new-privileges',
    },
  );
}
