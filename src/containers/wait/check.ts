import { check } from '../../support/check.ts';
import { z } from '../../support/zod.ts';
import { duration } from '../option-schemas.ts';
import type { WaitOptions } from './strategy.ts';

/** What every strategy takes. */
export const waitShape = { timeout: z.optional(duration) } satisfies {
  [K in keyof Required<WaitOptions>]: z.ZodMiniType;
};

/** @throws MayflyError `option.invalid` when the arguments of a `Wait` function are not what it takes */
export function checkWait(name: string, shape: () => z.core.$ZodShape, value: unknown): void {
  check(z.strictObject(shape()), { value, what: `arguments of Wait.${name}` });
}
