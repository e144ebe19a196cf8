import { expect, test } from 'vitest';
import { sharesToWeight, weightToShares } from '../../../../src/kernel/cgroups/cpu-weight.ts';

test('the defaults of v1 and v2 stand for each other, and so do their multiples', () => {
  expect([1024, 512, 2048, 102_400].map(sharesToWeight)).toEqual([100, 50, 200, 10_000]);
  expect([100, 50, 200, 10_000].map(weightToShares)).toEqual([1024, 512, 2048, 102_400]);
});

test('what lies beyond the other version’s range becomes its end', () => {
  expect([2, 262_144].map(sharesToWeight)).toEqual([1, 10_000]);
  expect(weightToShares(1)).toBe(10);
});
