import { expect, test } from 'vitest';
import { mapWithOwn } from '../../../../src/kernel/namespaces/id-map.ts';

test('root inside is the user, and the ranges follow without a gap', () => {
  const ranges = [
    { first: 100000, count: 65536 },
    { first: 300000, count: 1000 },
  ];
  expect(mapWithOwn(1001, ranges)).toEqual([
    { inside: 0, outside: 1001, count: 1 },
    { inside: 1, outside: 100000, count: 65536 },
    { inside: 65537, outside: 300000, count: 1000 },
  ]);
});
