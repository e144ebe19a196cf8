import { expect, test } from 'vitest';
import { resolveHealthCheck } from '../../../../src/containers/health/health-check.ts';

const SECOND = 1e9;

test('an image without a check, an option that turns it off, and NONE', () => {
  expect(resolveHealthCheck(undefined)).toBeUndefined();
  expect(resolveHealthCheck(undefined, { Test: [] })).toBeUndefined();
  expect(resolveHealthCheck(undefined, { Test: ['NONE'] })).toBeUndefined();
  expect(resolveHealthCheck(false, { Test: ['CMD', 'true'] })).toBeUndefined();
});

test('an image’s check counts in nanoseconds, and its zeros mean the defaults', () => {
  const image = { Test: ['CMD-SHELL', 'curl -f localhost'], Interval: 5 * SECOND, Timeout: 0, Retries: 0 };
  expect(resolveHealthCheck(undefined, image)).toEqual({
    argv: ['/bin/sh', '-c', 'curl -f localhost'],
    interval: 5000,
    timeout: 30_000,
    startPeriod: 0,
    startInterval: 1000,
    retries: 3,
  });
});

test('the option goes before the image, field by field', () => {
  const image = { Test: ['CMD', 'a', 'b'], Interval: 5 * SECOND, StartPeriod: SECOND, Retries: 7 };
  expect(resolveHealthCheck({ interval: '2s', startPeriod: 0 }, image)).toMatchObject({
    argv: ['a', 'b'],
    interval: 2000,
    startPeriod: 0,
    retries: 7,
  });
  expect(resolveHealthCheck({ test: ['CMD', 'c'] }, image)).toMatchObject({ argv: ['c'], retries: 7 });
  expect(resolveHealthCheck({ test: 'c d' }, image)).toMatchObject({ argv: ['/bin/sh', '-c', 'c d'] });
});

test.each([[['CMD']], [['CMD-SHELL', 'a', 'b']], [['curl', 'localhost']]])(
  'an image’s %j is no check',
  (Test) => {
    expect(() => resolveHealthCheck(undefined, { Test })).toThrow(
      expect.objectContaining({ code: 'image.bad-health-check' }),
    );
  },
);

test('an option without a test needs an image that has one', () => {
  expect(() => resolveHealthCheck({ retries: 2 })).toThrow(
    expect.objectContaining({ code: 'option.invalid' }),
  );
});
