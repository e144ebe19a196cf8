import { expect, test } from 'vitest';
import { deferred } from '../../../src/support/deferred.ts';
import { Turns } from '../../../src/support/turns.ts';

test('one begins when the one before it has ended, however it did', async () => {
  const turns = new Turns();
  const begun: number[] = [];
  const first = deferred<void>();
  const results = [
    turns.take(() => {
      begun.push(1);
      return first.promise;
    }),
    turns.take(async () => void begun.push(2)),
    turns.take(async () => begun.push(3)),
  ];
  await Promise.resolve();
  expect(begun).toEqual([1]);
  first.reject(new Error('failed'));
  expect(await Promise.allSettled(results)).toMatchObject([
    { reason: { message: 'failed' } },
    { status: 'fulfilled' },
    { value: 3 },
  ]);
  expect(begun).toEqual([1, 2, 3]);
});
