import { call } from '../ffi/libc.ts';

/** Resources of setrlimit(2) by Docker's names (docker/go-units, ulimit.go); <asm-generic/resource.h>. */
export const RESOURCES = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

export type ResourceName = keyof typeof RESOURCES;

/** RLIM_INFINITY */
const NO_LIMIT = 2n ** 64n - 1n;

/** This process's hard limit, which its children cannot exceed without CAP_SYS_RESOURCE; Infinity for none. */
export function hardLimit(resource: ResourceName): number {
  const limits = Buffer.alloc(16);
  call('getrlimit', [RESOURCES[resource], limits], `read the limit ${resource}`);
  const hard = limits.readBigUInt64LE(8);
  return hard === NO_LIMIT ? Number.POSITIVE_INFINITY : Number(hard);
}

/** A struct rlimit; undefined stands for no limit. */
export function encodeLimit(soft: number | undefined, hard: number | undefined): Buffer {
  const limits = Buffer.alloc(16);
  limits.writeBigUInt64LE(soft === undefined ? NO_LIMIT : BigInt(soft), 0);
  limits.writeBigUInt64LE(hard === undefined ? NO_LIMIT : BigInt(hard), 8);
  return limits;
}
