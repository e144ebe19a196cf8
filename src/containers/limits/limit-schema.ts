import { z } from 'zod';
import { SHARES_RANGE, WEIGHT_RANGE } from '../../kernel/cgroups/cpu-weight.ts';
import { parseNumberList } from '../../kernel/cgroups/number-list.ts';
import { parses, path, size } from '../option-schemas.ts';
import type { IoLimit, LimitOptions } from './limit-options.ts';

const list = z.string().refine(parses(parseNumberList), 'must be numbers and ranges such as "0-2,4"');
const whole = z.number().int();

const ioLimit = z
  .strictObject({
    device: path.optional(),
    readBps: size.optional(),
    writeBps: size.optional(),
    readIops: whole.min(0).optional(),
    writeIops: whole.min(0).optional(),
  } satisfies { [K in keyof Required<IoLimit>]: z.ZodType })
  .refine(({ device: _, ...rates }) => Object.keys(rates).length > 0, 'must name a rate');

/** Every limit, so that one which nobody checks does not compile. */
export const limitShape = {
  memory: size,
  memorySwap: z.union([z.literal('unlimited'), size]),
  memoryReservation: size,
  cpus: z.number().positive(),
  cpuWeight: whole.min(WEIGHT_RANGE[0]).max(WEIGHT_RANGE[1]),
  cpuShares: whole.min(SHARES_RANGE[0]).max(SHARES_RANGE[1]),
  cpuset: list,
  cpusetMems: list,
  pids: whole.positive(),
  ioWeight: whole.min(1).max(1000),
  ioLimits: z.array(ioLimit),
} satisfies { [K in keyof Required<LimitOptions>]: z.ZodType };

/** What `update` takes. */
export const limitChanges = z.strictObject({
  memory: limitShape.memory.nullish(),
  memorySwap: limitShape.memorySwap.nullish(),
  memoryReservation: limitShape.memoryReservation.nullish(),
  cpus: limitShape.cpus.nullish(),
  cpuWeight: limitShape.cpuWeight.nullish(),
  cpuShares: limitShape.cpuShares.nullish(),
  cpuset: limitShape.cpuset.nullish(),
  cpusetMems: limitShape.cpusetMems.nullish(),
  pids: limitShape.pids.nullish(),
  ioWeight: limitShape.ioWeight.nullish(),
  ioLimits: limitShape.ioLimits.optional(),
} satisfies { [K in keyof Required<LimitOptions>]: z.ZodType });
