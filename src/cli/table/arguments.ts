import type { ArgumentSpec, ArgumentSpecs, OptionSpecs } from '../command.ts';

/** Arguments and options that several commands have. */

export const CONTAINER = {
  help: 'Name, id or the beginning of an id',
  completes: 'container',
} as const satisfies ArgumentSpec;

export const CONTAINERS = {
  container: { ...CONTAINER, help: 'Names, ids or beginnings of ids', variadic: true },
} as const satisfies ArgumentSpecs;

export const IMAGE = { help: 'Name or id of an image', completes: 'image' } as const satisfies ArgumentSpec;

export const FORMAT = {
  type: 'string',
  value: 'FORMAT',
  help: '`table`, `json`, or a template of Go such as {{.ID}}',
} as const;

export const NO_TRUNC = { type: 'boolean', help: 'Cut nothing off' } as const;

export const QUIET = { type: 'boolean', short: 'q', help: 'Print ids alone' } as const;

export const DETACH_KEYS = {
  type: 'string',
  value: 'KEYS',
  default: 'ctrl-p,ctrl-q',
  help: 'Keys that leave it running and end this command',
} as const;

export const LIMITS = {
  memory: { type: 'string', short: 'm', value: 'SIZE', help: 'Hard limit on memory, such as 512m' },
  memorySwap: { type: 'string', value: 'SIZE', help: 'Memory and swap together, or -1 for any swap' },
  memoryReservation: {
    type: 'string',
    value: 'SIZE',
    help: 'Memory that is left alone while others can give some',
  },
  cpus: { type: 'string', value: 'NUMBER', help: "CPUs' worth of time, such as 0.5" },
  cpuShares: {
    type: 'integer',
    short: 'c',
    value: 'SHARES',
    help: 'Share of CPU time, where 1024 is the default',
  },
  cpusetCpus: { type: 'string', value: 'CPUS', help: 'CPUs to run on, such as 0-2,4' },
  pidsLimit: { type: 'integer', value: 'NUMBER', help: 'Processes and threads at once' },
} as const satisfies OptionSpecs;
