import { expect, test } from 'vitest';
import { parseRetryAfter, RateLimitError, withRetry } from '../../../../../src/images/registry/http/retry.ts';
import { RegistryError } from '../../../../../src/images/registry/registry-error.ts';

const now = Date.parse('2026-11-25T12:00:00Z');

test.each([
  [undefined, undefined],
  ['3', 3000],
  [' 0 ', 0],
  ['Wed, 25 Nov 2026 12:00:05 GMT', 5000],
  ['Wed, 25 Nov 2026 11:00:00 GMT', 0],
  ['soon', undefined],
  ['-1x', undefined],
])('Retry-After: %s is %s ms', (value, expected) => {
  expect(parseRetryAfter(value, now)).toBe(expected);
});

/** Fails so many times, then returns how often it was called. */
function failing(times: number, error: Error) {
  let calls = 0;
  return async () => {
    calls += 1;
    if (calls <= times) throw error;
    return calls;
  };
}

const broken = new RegistryError('registry.broken-connection', 'x', { host: 'h' });
const limited = (retryAfter?: number) => new RateLimitError('x', { host: 'h', retryAfter });
const options = { attempts: 3, firstPause: 1 };

test('what may pass is tried again, so many times and no more', async () => {
  expect(await withRetry(failing(2, broken), options)).toBe(3);
  await expect(withRetry(failing(3, broken), options)).rejects.toBe(broken);
  expect(await withRetry(failing(2, limited(1)), options)).toBe(3);
  expect(await withRetry(failing(2, limited()), options)).toBe(3);
});

test('what cannot pass is not tried again', async () => {
  for (const error of [
    new RegistryError('registry.unauthorized', 'x', { host: 'h' }),
    new RegistryError('registry.unreachable', 'x', { host: 'h' }),
    new Error('x'),
    limited(3_600_000),
  ]) {
    await expect(withRetry(failing(1, error), options)).rejects.toBe(error);
  }
});

test('progress makes the count begin anew', async () => {
  expect(await withRetry(failing(9, broken), { ...options, progressed: () => true })).toBe(10);
});

test('an aborted signal ends the waiting with its reason', async () => {
  const signal = AbortSignal.timeout(20);
  await expect(withRetry(failing(9, limited(50_000)), { ...options, signal })).rejects.toMatchObject({
    name: 'AbortError',
  });
});
