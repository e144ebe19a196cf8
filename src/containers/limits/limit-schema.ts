import { z } from 'zod';
import { SHARES_RANGE, WEIGHT_RANGE } from '../../kernel/cgroups/cpu-weight.ts';
import { parseNumberList } from '../../kernel/cgroups/number-list.ts';
import { lazy } from '../../support/lazy.ts';
import { parses, path, size } from '../option-schemas.ts';
import type { IoLimit, LimitOptions } from './limit-options.ts';

const list = lazy(() =>
  z.string().refine(parses(parseNumberList), 'must be numbers and ranges such as "0-2,4"'),
);
const whole = () => z.number().int();

const ioLimit = () =>
  z
    .strictObject({
      device: path.optional(),
      readBps: size.optional(),
      writeBps: size.optional(),
      readIops: whole().min(0).optional(),
      writeIops: whole().min(0).optional(),
    } satisfies { [K in keyof Required<IoLimit>]: z.ZodType })
    .refine(({ device: _, ...rates }) => Object.keys(rates).length > 0, 'must name a rate');

/** Every limit, so that one which nobody checks does not compile. */
export const limitSchemas = {
  memory: () => size,
  memorySwap: lazy(() => z.union([z.literal('unlimited'), size])),
  memoryReservation: () => size,
  cpus: lazy(() => z.number().positive()),
  cpuWeight: lazy(() => whole().min(WEIGHT_RANGE[0]).max(WEIGHT_RANGE[1])),
  cpuShares: lazy(() => whole().min(SHARES_RANGE[0]).max(SHARES_RANGE[1])),
  cpuset: list,
  cpusetMems: list,
  pids: lazy(() => whole().positive()),
  ioWeight: lazy(() => whole().min(1).max(1000)),
  ioLimits: lazy(() => z.array(ioLimit())),
} satisfies { [K in keyof Required<LimitOptions>]: () => z.ZodType };

/** What `update` takes. */
export const limitChanges = lazy(() =>
  z.strictObject({
    memory: limitSchemas.memory().nullish(),
    memorySwap: limitSchemas.memorySwap().nullish(),
    memoryReservation: limitSchemas.memoryReservation().nullish(),
    cpus: limitSchemas.cpus().nullish(),
    cpuWeight: limitSchemas.cpuWeight().nullish(),
    cpuShares: limitSchemas.cpuShares().nullish(),
    cpuset: limitSchemas.cpuset().nullish(),
    cpusetMems: limitSchemas.cpusetMems().nullish(),
    pids: limitSchemas.pids().nullish(),
    ioWeight: limitSchemas.ioWeight().nullish(),
    ioLimits: limitSchemas.ioLimits().optional(),
  } satisfies { [K in keyof Required<LimitOptions>]: z.ZodType }),
);
