import { SHARES_RANGE, WEIGHT_RANGE } from '../../kernel/cgroups/cpu-weight.ts';
import { parseNumberList } from '../../kernel/cgroups/number-list.ts';
import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';
import { parses, path, size } from '../option-schemas.ts';
import type { IoLimit, LimitOptions } from './limit-options.ts';

const list = lazy(() =>
  z.string().check(z.refine(parses(parseNumberList), 'must be numbers and ranges such as "0-2,4"')),
);
const whole = () => z.int();

const ioLimit = () =>
  z
    .strictObject({
      device: z.optional(path),
      readBps: z.optional(size),
      writeBps: z.optional(size),
      readIops: z.optional(whole().check(z.gte(0))),
      writeIops: z.optional(whole().check(z.gte(0))),
    } satisfies { [K in keyof Required<IoLimit>]: z.ZodMiniType })
    .check(z.refine(({ device: _, ...rates }) => Object.keys(rates).length > 0, 'must name a rate'));

/** Every limit, so that one which nobody checks does not compile. */
export const limitSchemas = {
  memory: () => size,
  memorySwap: lazy(() => z.union([z.literal('unlimited'), size])),
  memoryReservation: () => size,
  cpus: lazy(() => z.number().check(z.positive())),
  cpuWeight: lazy(() => whole().check(z.gte(WEIGHT_RANGE[0]), z.lte(WEIGHT_RANGE[1]))),
  cpuShares: lazy(() => whole().check(z.gte(SHARES_RANGE[0]), z.lte(SHARES_RANGE[1]))),
  cpuset: list,
  cpusetMems: list,
  pids: lazy(() => whole().check(z.positive())),
  ioWeight: lazy(() => whole().check(z.gte(1), z.lte(1000))),
  ioLimits: lazy(() => z.array(ioLimit())),
} satisfies { [K in keyof Required<LimitOptions>]: () => z.ZodMiniType };

/** What `update` takes. */
export const limitChanges = lazy(() =>
  z.strictObject({
    memory: z.nullish(limitSchemas.memory()),
    memorySwap: z.nullish(limitSchemas.memorySwap()),
    memoryReservation: z.nullish(limitSchemas.memoryReservation()),
    cpus: z.nullish(limitSchemas.cpus()),
    cpuWeight: z.nullish(limitSchemas.cpuWeight()),
    cpuShares: z.nullish(limitSchemas.cpuShares()),
    cpuset: z.nullish(limitSchemas.cpuset()),
    cpusetMems: z.nullish(limitSchemas.cpusetMems()),
    pids: z.nullish(limitSchemas.pids()),
    ioWeight: z.nullish(limitSchemas.ioWeight()),
    ioLimits: z.optional(limitSchemas.ioLimits()),
  } satisfies { [K in keyof Required<LimitOptions>]: z.ZodMiniType }),
);
