import { expect, test } from 'vitest';
import { apparmorCheck } from '../../../../src/containers/doctor/apparmor-check.ts';

const asRoot = (command: string) => `sudo ${command}`;

test.each([
  [undefined, 'rootless', 'ok'],
  ['0', 'rootless', 'ok'],
  ['1', 'root', 'ok'],
  ['1', 'rootless', 'lacking'],
] as const)('a restriction of %s is, for %s, %s', (restriction, rung, status) => {
  const check = apparmorCheck({ restriction, rung, asRoot });
  expect(check.status).toBe(status);
  expect(check.fix).toBe(
    status === 'ok' ? undefined : 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  );
});
