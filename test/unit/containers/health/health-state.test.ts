import { expect, test } from 'vitest';
import { afterProbe, initialHealth } from '../../../../src/containers/health/health-state.ts';

const startedAt = new Date(0);
const check = { argv: [], interval: 1000, timeout: 0, startPeriod: 0, startInterval: 10, retries: 2 };

/** The states that probes at the given moments lead to: `1200:0` is a success at 1.2 s. */
function follow(probes: string, changed: Partial<typeof check> = {}): string {
  let state = initialHealth(startedAt);
  return probes
    .split(' ')
    .map((probe) => {
      const [at, exitCode] = probe.split(':').map(Number) as [number, number];
      const result = { start: new Date(at), end: new Date(at), exitCode, output: probe };
      state = afterProbe(state, { check: { ...check, ...changed }, startedAt, result });
      return `${state.status} ${state.failingStreak}`;
    })
    .join(', ');
}

test('a success makes it healthy at once', () => {
  expect(follow('5:1 10:0')).toBe('starting 0, healthy 0');
});

test('before the first success, one failure an interval counts', () => {
  expect(follow('10:1 500:1 1000:1 1500:1 1999:1 2000:1')).toBe(
    'starting 0, starting 0, starting 1, starting 1, starting 1, unhealthy 2',
  );
});

test('failures of the start period do not count', () => {
  expect(follow('1000:1 4999:1 5000:1 6000:1', { startPeriod: 5000 })).toBe(
    'starting 0, starting 0, starting 1, unhealthy 2',
  );
});

test('a success ends the start period', () => {
  expect(follow('10:0 1010:1 2010:1', { startPeriod: 60_000 })).toBe('healthy 0, healthy 1, unhealthy 2');
});

test('failures have to come in a row, and health comes back', () => {
  expect(follow('10:0 1010:1 2010:0 3010:1 4010:-1 5010:0')).toBe(
    'healthy 0, healthy 1, healthy 0, healthy 1, unhealthy 2, healthy 0',
  );
});

test('the last five results are kept', () => {
  let state = initialHealth(startedAt);
  for (let i = 1; i <= 7; i += 1) {
    const result = { start: new Date(i), end: new Date(i), exitCode: 0, output: String(i) };
    state = afterProbe(state, { check, startedAt, result });
  }
  expect(state.log.map(({ output }) => output)).toEqual(['3', '4', '5', '6', '7']);
});
