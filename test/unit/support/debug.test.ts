import { execaSync } from 'execa';
import { expect, test } from 'vitest';

/** What a process writes to stderr that logs in the area `cgroup`; NODE_DEBUG is read once a process. */
function logged(nodeDebug: string): string {
  const module = new URL('../../../src/support/debug.ts', import.meta.url).href;
  const program = `import { debugLog } from ${JSON.stringify(module)}; debugLog('cgroup')('%s is %d', 'limit', 5);`;
  const { stderr } = execaSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', program],
    {
      env: { NODE_DEBUG: nodeDebug },
    },
  );
  return stderr.replaceAll(/\d+:/g, 'PID:');
}

test('nothing is logged unless it is asked for', () => {
  expect(logged('')).toBe('');
});

test.each(['mayfly-cgroup', 'mayfly*'])('NODE_DEBUG=%s shows the area', (nodeDebug) => {
  expect(logged(nodeDebug)).toBe('MAYFLY-CGROUP PID: limit is 5');
});

test('another area stays silent', () => {
  expect(logged('mayfly-network')).toBe('');
});
