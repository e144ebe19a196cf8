import { z } from 'zod';
import { check } from '../../support/check.ts';
import { duration } from '../option-schemas.ts';
import type { WaitOptions } from './strategy.ts';

/** What every strategy takes. */
export const waitShape = { timeout: duration.optional() } satisfies {
  [K in keyof Required<WaitOptions>]: z.ZodType;
};

/** @throws MayflyError `option.invalid` when the arguments of a `Wait` function are not what it takes */
export function checkWait(name: string, shape: () => z.ZodRawShape, value: unknown): void {
  check(z.strictObject(shape()), { value, what: `arguments of Wait.${name}` });
}
